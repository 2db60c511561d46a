"""Open the warehouse of a connection string; an engine is loaded when it is used."""

from __future__ import annotations

from importlib import import_module

from .drivers import ENGINES, check_driver
from .engine import Bounds, Engine
from .warehouse import Warehouse


def open_warehouse(address: str | None, bounds: Bounds) -> Warehouse:
    """Open a session for one report. Raises WarehouseErrors, and SettingsError if the address is not valid."""
    engine = load_engine(address)
    return Warehouse(engine.connect(bounds), engine.dialect)


def load_engine(address: str | None) -> Engine:
    """Import the engine of the warehouse without a connection; raise SettingsError where a package is missing."""
    parsed = check_driver(address)
    module = import_module(f"{__package__}.{ENGINES[parsed.engine].module}")
    engine: Engine = module.create_engine(parsed)
    return engine
