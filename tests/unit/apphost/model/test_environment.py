"""The injected variables have Aspire's names and forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from apphost.application import Plan, find_secrets
from apphost.errors import SettingsError
from apphost.model.connection_strings import BrokerConnection, find_passwords, parse_connection
from apphost.model.environment import inject, reference_connection, variable_prefix
from apphost.reports import describe_app
from apphost.settings import Settings

CONNECTION = BrokerConnection.of_our_own(6379, "abc123")


def injected(name: str) -> dict[str, str]:
    resources = {one.name: one for one in describe_app(Settings(), {}, "the secret key").resources}
    return inject(
        resources[name],
        f"{name}-1",
        resources=resources,
        connections={"broker": CONNECTION},
        ports={"api": 8000},
    )


def test_the_api_finds_its_broker_and_its_port() -> None:
    assert injected("api") == {
        "PYTHONUNBUFFERED": "1",
        "OTEL_SERVICE_NAME": "api",
        "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=api-1",
        "ConnectionStrings__broker": "localhost:6379,password=abc123",
        "BROKER_URI": "redis://:abc123@localhost:6379",
        "BROKER_HOST": "localhost",
        "BROKER_PORT": "6379",
        "BROKER_PASSWORD": "abc123",
        "PORT": "8000",
        "services__api__http__0": "http://localhost:8000",
        "API_HTTP": "http://localhost:8000",
        "REPORTS_SECRET_KEY": "the secret key",
        "ConnectionStrings__artifacts": str(Path(".apphost/artifacts").absolute()),
    }


def test_a_worker_finds_broker_and_api_and_no_port_of_its_own() -> None:
    variables = injected("worker")

    assert variables["ConnectionStrings__broker"] == "localhost:6379,password=abc123"
    assert variables["services__api__http__0"] == "http://localhost:8000"
    assert variables["OTEL_SERVICE_NAME"] == "worker"
    assert "PORT" not in variables
    assert "REPORTS_SECRET_KEY" not in variables


@pytest.mark.parametrize(("name", "prefix"), [("broker", "BROKER"), ("my-broker", "MY_BROKER"), ("a1", "A1")])
def test_a_prefix_is_encoded_as_aspire_does(name: str, prefix: str) -> None:
    assert variable_prefix(name) == prefix


def test_a_connection_without_password_has_no_password_variable() -> None:
    variables = reference_connection("broker", parse_connection("broker", "redis.internal:6380"))

    assert variables == {
        "ConnectionStrings__broker": "redis.internal:6380",
        "BROKER_URI": "redis://redis.internal:6380/0",
        "BROKER_HOST": "redis.internal",
        "BROKER_PORT": "6380",
    }


@pytest.mark.parametrize(
    ("text", "url", "host", "port", "password"),
    [
        ("h:1,password=p", "redis://:p@h:1/0", "h", 1, "p"),
        ("h", "redis://h:6379/0", "h", 6379, ""),
        ("h:1,password=p@/:s,ssl=True", "rediss://:p%40%2F%3As@h:1/0", "h", 1, "p@/:s"),
        ("h:1,user=u,password=p,defaultDatabase=2", "redis://u:p@h:1/2", "h", 1, "p"),
        ("redis://:p@h:7/1", "redis://:p@h:7/1", "h", 7, "p"),
        ("rediss://h", "rediss://h", "h", 6379, ""),
        ("unix:///run/redis.sock", "unix:///run/redis.sock", "/run/redis.sock", 6379, ""),
    ],
)
def test_a_users_own_connection_is_read_in_every_form(
    text: str, url: str, host: str, port: int, password: str
) -> None:
    assert parse_connection("broker", text) == BrokerConnection(text, url, host, port, password)


@pytest.mark.parametrize(
    "text",
    [
        "http://h",
        "redis+sentinel://h:geheim/x",
        "redis+sentinel://h",
        "redis+sentinel://h,i:x/n",
        "redis://",
        "redis://h:x",
        ",password=geheim",
        "h:x,password=geheim",
    ],
)
def test_a_connection_that_makes_no_sense_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(SettingsError, match="ConnectionStrings__broker is not valid") as refusal:
        parse_connection("broker", text)

    assert "geheim" not in str(refusal.value)


def test_a_connection_by_sentinels_is_read_with_both_passwords() -> None:
    text = "redis+sentinel://:of%2Fit@one,two:7/name/1?sentinel_password=of+theirs"

    connection = parse_connection("broker", text)

    assert connection == BrokerConnection(text, text, "one", 26379, "of/it", "of theirs")
    assert {"of/it", "of%2Fit", "of theirs"} <= set(
        find_secrets(Plan({}, {"broker": connection}, {}), "token")
    )


def test_api_and_workers_are_given_the_same_warehouse_and_the_same_place_for_files(tmp_path: Path) -> None:
    environ = {"ConnectionStrings__warehouse": "postgresql://reader:s3cret@db/sales"}

    _, api, worker = describe_app(Settings(folder=tmp_path), environ, "secret").resources

    for resource in (api, worker):
        assert resource.env["ConnectionStrings__warehouse"] == environ["ConnectionStrings__warehouse"]
        assert resource.env["ConnectionStrings__artifacts"] == str(tmp_path / "artifacts")
    assert "s3cret" in find_secrets(Plan({"api": api}, {}, {}), "token")


@pytest.mark.parametrize("environ", [{}, {"REPORTS_SECRET_KEY": "one of my own"}])
def test_workers_are_not_given_the_key_that_signs_sessions(environ: dict[str, str]) -> None:
    _, api, worker = describe_app(Settings(), environ, "kept by the apphost").resources

    assert api.env["REPORTS_SECRET_KEY"] == environ.get("REPORTS_SECRET_KEY", "kept by the apphost")
    # The apphost's own environment passes through beneath this.
    assert not (environ | dict(worker.env)).get("REPORTS_SECRET_KEY")


def test_without_a_warehouse_none_is_named_and_a_place_for_files_of_ones_own_stays() -> None:
    environ = {"ConnectionStrings__artifacts": "s3://bucket/reports"}

    _, api, worker = describe_app(Settings(), environ, "secret").resources

    for resource in (api, worker):
        assert "ConnectionStrings__warehouse" not in resource.env
        assert resource.env["ConnectionStrings__artifacts"] == "s3://bucket/reports"


@pytest.mark.parametrize(
    ("text", "passwords"),
    [
        ("/srv/warehouse", set()),
        ("postgresql://reader@db/sales", set()),
        ("postgresql://reader:p%40ss@db/sales", {"p%40ss", "p@ss"}),
        ("postgresql://db/sales?user=a&password=secret", {"secret"}),
        ("Host=db;Username=a;Password=secret;Database=b", {"secret"}),
        ("Host=db;Pwd = 'a;b' ;Database=b", {"a;b"}),
    ],
)
def test_passwords_are_found_in_connection_strings_of_databases(text: str, passwords: set[str]) -> None:
    assert set(find_passwords(text)) == passwords
