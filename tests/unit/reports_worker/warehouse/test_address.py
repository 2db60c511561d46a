"""Connection strings of the warehouse: every accepted form, and the refused ones."""

from __future__ import annotations

import pytest

from reports_worker import SettingsError
from reports_worker.settings.data import DataSettings
from reports_worker.warehouse.address import WarehouseAddress, parse_address

HOST = {"host": "db"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("data/warehouse.duckdb", WarehouseAddress("duckdb", "data/warehouse.duckdb")),
        ("/srv/a = b; c", WarehouseAddress("duckdb", "/srv/a = b; c")),
        ("duckdb:////srv/my%20data.duckdb", WarehouseAddress("duckdb", "/srv/my data.duckdb")),
        ("duckdb:///data/tables", WarehouseAddress("duckdb", "data/tables")),
        ("sc://spark:15002/;use_ssl=true", WarehouseAddress("spark", "sc://spark:15002/;use_ssl=true")),
        ("mysql+pymysql://u:p@db/x", WarehouseAddress("sqlalchemy", "mysql+pymysql://u:p@db/x")),
    ],
)
def test_paths_and_urls_choose_their_engine(text: str, address: WarehouseAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("postgresql://db", HOST),
        ("POSTGRES://u:p%40%3A@db:6000/x%20y?sslmode=verify-full", {
            **HOST, "user": "u", "password": "p@:", "port": "6000", "dbname": "x y", "sslmode": "verify-full",
        }),
        ("postgresql+psycopg://db/x", {**HOST, "dbname": "x"}),
        ("postgresql://one,two:6000/x", {"host": "one,two", "port": "5432,6000", "dbname": "x"}),
        ("postgresql://[::1]:6000", {"host": "::1", "port": "6000"}),
        ("postgresql:///x?host=/run/postgresql", {"host": "/run/postgresql", "dbname": "x"}),
        ("Host=db;Port=6000;Username=u;Password=p;Database=x", {
            **HOST, "port": "6000", "user": "u", "password": "p", "dbname": "x",
        }),
        (" server = db ; User Id=u; pwd = 'a;\"b''c' ;", {**HOST, "user": "u", "password": "a;\"b'c"}),
        ('Username=u;Password="a;b""c=";Host=db', {**HOST, "user": "u", "password": 'a;b"c='}),
        ("Host=db;SSL Mode=VerifyCA;Root Certificate=/ca.pem;Pooling=true;Maximum Pool Size=3", {
            **HOST, "sslmode": "verify-ca", "sslrootcert": "/ca.pem",
        }),
        ("Host=db;Password=a=b", {**HOST, "password": "a=b"}),
    ],
)  # fmt: skip
def test_urls_and_pairs_become_options_of_libpq(text: str, options: dict[str, str]) -> None:
    assert parse_address(text) == WarehouseAddress("postgresql", options=options)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Host=db;Password=hush;secret", "quotes"),
        ("Host=db;Password=hush;secret=1", "unknown"),
        ("Host=db;Password='hush", "Name=value"),
        ("Host=db;Port=secret", "port"),
        ("Host=db;SSL Mode=secret", "SSL Mode"),
        ("Username=u;Password=secret", "Host"),
        ("Host=db user=secret", "host"),
        ("postgresql://u:secret@db:99999/x", "port"),
        ("postgresql://u:sec/ret@db/x", "host:port"),
        ("postgresql://u:p@db/x?secret=1", "option"),
        ("postgresql://u:p@db/x#secret", "%23"),
        ("postgresql://[secret/x", "URL"),
        ("duckdb://secret", "path"),
        ("sc://", "host"),
        ("https://secret/x", "not a database"),
        ("s3://secret/x", "not a database"),
    ],
)
def test_a_bad_address_is_refused_without_its_text(text: str, says: str) -> None:
    with pytest.raises(
        SettingsError, match=f"^ConnectionStrings__warehouse is not valid: .*{says}"
    ) as caught:
        DataSettings.from_environ({"ConnectionStrings__warehouse": text})

    assert not any(word in str(caught.value) for word in ("secret", "hush", "sec", "ret@"))


def test_addresses_and_settings_do_not_print_their_values() -> None:
    shown = repr(parse_address("postgresql://u:hush@db")) + repr(
        DataSettings.from_environ({"ConnectionStrings__warehouse": "postgresql://u:hush@db"})
    )

    assert "hush" not in shown
