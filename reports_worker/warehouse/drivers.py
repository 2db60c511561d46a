"""The table of engines, and a check for the package that each engine needs. Loads no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from reports_worker.errors import SettingsError
from reports_worker.lib.extras import write_install_command

from .address import VARIABLE, WarehouseAddress, parse_address


@dataclass(frozen=True)
class EngineModule:
    """A module of this package with `create_engine(address)`, the package it needs, and the extra that installs it."""

    module: str
    package: str
    extra: str


ENGINES: Mapping[str, EngineModule] = {
    "duckdb": EngineModule("duckdb.engine", "duckdb", "worker"),
    "postgresql": EngineModule("postgresql.engine", "psycopg", "postgres"),
    "spark": EngineModule("spark.engine", "pyspark", "spark"),
    "sqlalchemy": EngineModule("sqlalchemy.engine", "sqlalchemy", "sqlalchemy"),
}


def check_driver(text: str | None, engines: Mapping[str, EngineModule] = ENGINES) -> WarehouseAddress:
    """Parse the connection string; raise SettingsError where it is missing, or where its package is."""
    if text is None:
        raise SettingsError(f"There is no warehouse: set {VARIABLE}.")
    address = parse_address(text)
    known = engines[address.engine]
    if find_spec(known.package) is None:
        raise SettingsError(
            f"{VARIABLE} needs the package {known.package}, which is not installed: "
            f"{write_install_command(known.extra)}"
        )
    return address
