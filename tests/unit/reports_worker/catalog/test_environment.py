"""The environment of a definition during its inspection."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_worker.catalog.environment import without_secrets
from reports_worker.catalog.live_catalog import LiveCatalog
from reports_worker.settings.data import DataSettings

DUMPS = """
import json, os
from reports_worker.authoring import Contents, ReportType

with open(os.environ["SHOP_DUMP"], "w") as file:
    json.dump(dict(os.environ), file)
TYPE = ReportType("dumps", "Dumps", "Tells.", lambda assignment: Contents({"one": 1}))
"""
PLANTED = {
    "ConnectionStrings__broker": "hunter2.example:6379,password=hunter2",
    "BROKER_URI": "redis://:hunter2@hunter2.example:6379",
    "BROKER_HOST": "hunter2.example",
    "BROKER_PORT": "hunter2",
    "BROKER_PASSWORD": "hunter2",
    "REPORTS_SECRET_KEY": "hunter2 hunter2 hunter2",
    "REPORTS_CALLBACK_SECRET": "whsec_hunter2",
    "GUNICORN_CMD_ARGS": "-e X=hunter2",
    "AWS_ACCESS_KEY_ID": "hunter2",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
    "AWS_SESSION_TOKEN": "hunter2",
    "AWS_SHARED_CREDENTIALS_FILE": "/hunter2",
    "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "api-key=hunter2",
    "CRM_API_KEY": "hunter2",
    "CRM_APIKEY": "hunter2",
    "SIGNING_KEYS": "hunter2",
    "KEY": "hunter2",
    "crm_password": "hunter2",
    "SMTP_PASSWD": "hunter2",
    "DATABASE_PASS": "hunter2",
    "DB_PASS_OF_CRM": "hunter2",
    "ConnectionStrings__odbc": "DSN=crm;Pass=hunter2",
    "GITHUB_TOKEN": "hunter2",
    "GOOGLE_APPLICATION_CREDENTIALS": "/hunter2.json",
    "DATABASE_URL": "postgresql://bob:hunter2@db/shop",
    "REDIS_URL": "redis://:hunter2@db",
    "ConnectionStrings__crm": "Host=db;Username=bob;Password = hunter2",
    "ODBC": "DSN=crm;PWD=hunter2",
}
KEPT = {
    "SHOP_CURRENCY": "EUR",
    "SHOP_URL": "https://shop.example:8443/orders?to=bob@shop.example",
    "MONKEY": "bananas",
    "COMPASS_URL": "https://compass.example",
    "OLDPWD": "/",
    "JAVA_TOOL_OPTIONS": "-Djavax.net.ssl.trustStorePassword=changeit",
    "KEYBOARD": "qwerty",
    "AWS_REGION": "eu-central-1",
    "TZ": "Europe/Prague",
    "PWD": "/srv",
    "ConnectionStrings__crm": "Host=db;Username=bob",
    "ConnectionStrings__warehouse": "postgresql://reader:the-warehouses@db/shop",
    "PGPASSWORD": "the-warehouses",
    "REPORTS_TIMEZONE": "UTC",
}


def test_a_definition_finds_no_secret_and_all_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real process that reads definitions, as the API starts it."""
    folder, dump = tmp_path / "types", tmp_path / "dump.json"
    folder.mkdir()
    (folder / "dumps.py").write_text(DUMPS)
    for name, value in {"SHOP_DUMP": str(dump), "SHOP_CURRENCY": "EUR", **PLANTED}.items():
        monkeypatch.setenv(name, value)

    catalog = LiveCatalog(DataSettings(report_folders=(folder,), fiscal_year_start=4), {})

    assert "dumps" in catalog, catalog.broken
    found: dict[str, Any] = json.loads(dump.read_text())
    assert {name for name in found if name in PLANTED or "hunter2" in found[name]} == set()
    assert found["SHOP_CURRENCY"] == "EUR"
    assert found["PATH"] == os.environ["PATH"]
    assert (found["REPORTS_FISCAL_YEAR_START"], found["REPORTS_PATH"]) == ("4", str(folder))


@pytest.mark.parametrize("name", PLANTED)
def test_each_of_these_is_left_out(name: str) -> None:
    assert without_secrets({name: PLANTED[name], "LANG": "C"}) == {"LANG": "C"}


@pytest.mark.parametrize("name", KEPT)
def test_each_of_these_stays(name: str) -> None:
    assert without_secrets({name: KEPT[name]}) == {name: KEPT[name]}


@given(
    before=st.from_regex(r"([A-Za-z]{1,8}_)?", fullmatch=True),
    word=st.sampled_from(["SECRET", "password", "PassWd", "TOKEN", "API_KEY", "KEY", "Credential"]),
    after=st.from_regex(r"(_[A-Za-z0-9]{1,8})?", fullmatch=True),
)
def test_any_variable_named_like_a_secret_is_removed(before: str, word: str, after: str) -> None:
    name = f"{before}{word}{after}"

    assert without_secrets({name: "x"}) == ({"PGPASSWORD": "x"} if name == "PGPASSWORD" else {})
