"""Open the engine of a connection string: drivers are loaded when they are used, and a missing one is named."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reports_worker import SettingsError
from reports_worker.warehouse.drivers import ENGINES, EngineModule, check_driver
from reports_worker.warehouse.open import load_engine

DRIVERS = ("duckdb", "psycopg", "pyspark", "sqlalchemy", "sqlglot")


MODULES = "reports_app, reports_worker.settings.core, reports_worker.warehouse.drivers"


def test_neither_the_api_nor_the_settings_load_a_driver() -> None:
    program = f"import sys, {MODULES}; print(sorted(sys.modules.keys() & {set(DRIVERS)!r}))"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout == "[]\n"


def test_a_missing_package_is_named_with_the_extra_that_installs_it() -> None:
    missing = {**ENGINES, "postgresql": EngineModule("postgresql", "no_such_package", "postgres")}

    with pytest.raises(SettingsError, match=r"ConnectionStrings__warehouse .*no_such_package.*\[postgres\]"):
        check_driver("Host=db", missing)


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(SettingsError, match="ConnectionStrings__warehouse is not valid") as caught:
        load_engine("nonsense://user:hush@db/x")

    assert "hush" not in str(caught.value)
