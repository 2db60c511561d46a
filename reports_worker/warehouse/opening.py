"""From a connection string to a warehouse: the engines that are known, loaded when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from reports_worker.data_settings import WAREHOUSE_VARIABLE, DataSettings
from reports_worker.errors import SettingsError

from .addresses import WarehouseAddress, parse_address
from .engines import Bounds, Engine
from .warehouse import Warehouse


@dataclass(frozen=True)
class EngineModule:
    """A module here with `create_engine(address)`; the package it needs, and the extra that installs that."""

    module: str
    package: str
    extra: str | None = None


ENGINES: Mapping[str, EngineModule] = {
    "duckdb": EngineModule("duckdb_engine", "duckdb"),
    "postgresql": EngineModule("postgresql", "psycopg", "postgres"),
    "spark": EngineModule("spark", "pyspark", "spark"),
    "sqlalchemy": EngineModule("sqlalchemy_engine", "sqlalchemy", "sqlalchemy"),
}


def open_warehouse(settings: DataSettings, bounds: Bounds) -> Warehouse:
    """Open a session for one report. Raises WarehouseErrors, and SettingsError if no address is set."""
    engine = load_engine(settings)
    return Warehouse(engine.connect(bounds), engine.dialect)


def load_engine(settings: DataSettings) -> Engine:
    """Import what reads the warehouse, without opening it; raise SettingsError where a package is missing.

    A worker calls it at its start, so that the processes it forks find the driver loaded.
    """
    address = find_address(settings)
    known = ENGINES[address.engine]
    if find_spec(known.package) is None:
        raise SettingsError(
            f"{WAREHOUSE_VARIABLE} needs the package {known.package}, which is not installed: "
            f"pip install 'background-reports[{known.extra}]'"
        )
    engine: Engine = import_module(f"{__package__}.{known.module}").create_engine(address)
    return engine


def find_address(settings: DataSettings) -> WarehouseAddress:
    if settings.warehouse is None:
        raise SettingsError(f"There is no warehouse: set {WAREHOUSE_VARIABLE}.")
    return parse_address(settings.warehouse)
