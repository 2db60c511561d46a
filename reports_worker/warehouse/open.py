"""From a connection string to a warehouse; an engine is loaded when it is used."""

from __future__ import annotations

from importlib import import_module

from reports_worker.settings.data import DataSettings

from .drivers import ENGINES, check_driver
from .engine import Bounds, Engine
from .warehouse import Warehouse


def open_warehouse(settings: DataSettings, bounds: Bounds) -> Warehouse:
    """Open a session for one report. Raises WarehouseErrors, and SettingsError if it cannot be any."""
    engine = load_engine(settings)
    return Warehouse(engine.connect(bounds), engine.dialect)


def load_engine(settings: DataSettings) -> Engine:
    """Import what reads the warehouse, without opening it; raise SettingsError where a package is missing."""
    address = check_driver(settings.warehouse)
    module = import_module(f"{__package__}.{ENGINES[address.engine].module}")
    engine: Engine = module.create_engine(address)
    return engine
