"""The warehouse's connection string, in every form that users and orchestrators give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from reports_worker.lib.whole_number import LAST_PORT, is_whole

VARIABLE = "ConnectionStrings__warehouse"

_URL = re.compile(r"([a-z][a-z0-9+._-]*)://", re.ASCII | re.IGNORECASE)
_FIRST_NAME = re.compile(r"\s*([a-z][a-z _]*?)\s*=", re.ASCII | re.IGNORECASE)
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
# Npgsql's names (its Connection String Parameters page), and libpq's names for the same.
_NPGSQL = {
    "host": "host", "server": "host", "datasource": "host",
    "port": "port",
    "username": "user", "userid": "user", "user": "user", "uid": "user",
    "password": "password", "pwd": "password",
    "database": "dbname", "db": "dbname",
    "sslmode": "sslmode", "rootcertificate": "sslrootcert",
    "sslcertificate": "sslcert", "sslkey": "sslkey", "sslpassword": "sslpassword",
    "channelbinding": "channel_binding", "targetsessionattributes": "target_session_attrs",
}  # fmt: skip
# Npgsql's options without a use here: pools, and settings that this product sets itself.
_IGNORED = {
    "applicationname", "commandtimeout", "connectionidlelifetime", "connectionlifetime", "encoding", "enlist",
    "includeerrordetail", "keepalive", "maximumpoolsize", "maxpoolsize", "minimumpoolsize", "minpoolsize",
    "multiplexing", "nonagle", "noresetonclose", "persistsecurityinfo", "pooling", "timeout", "timezone",
    "trustservercertificate",
}  # fmt: skip
_SSL_MODES = {
    "disable": "disable", "allow": "allow", "prefer": "prefer", "require": "require",
    "verifyca": "verify-ca", "verifyfull": "verify-full",
}  # fmt: skip
# libpq's options for the location of the database and for the connection.
_LIBPQ = {
    "channel_binding", "connect_timeout", "dbname", "gssencmode", "host", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname", "load_balance_hosts",
    "options", "passfile", "password", "port", "require_auth", "service", "sslcert", "sslcrl", "sslkey",
    "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs",
    "tcp_user_timeout", "user",
}  # fmt: skip


@dataclass(frozen=True)
class WarehouseAddress:
    """The parsed address of the warehouse; `engine` is a name in the table of engines.

    `place` is the path of DuckDB's file or folder, or a URL; PostgreSQL has libpq's `options` instead.
    """

    engine: str
    place: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


def parse_address(text: str) -> WarehouseAddress:
    """Parse a path, a URL or Aspire's `Host=...;Username=...`.

    Raises ValueError with a message that contains no part of the value.
    """
    if "\x00" in text:
        raise ValueError("it contains a null character")
    if match := _URL.match(text):
        return _parse_url(text, match[1].lower())
    if (first := _FIRST_NAME.match(text)) and _fold(first[1]) in _NPGSQL:
        return WarehouseAddress("postgresql", options=_parse_pairs(text))
    return WarehouseAddress("duckdb", text)


def _parse_url(text: str, scheme: str) -> WarehouseAddress:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        # Its text may repeat all of user, password and host.
        raise ValueError("it cannot be read as a URL; %-encode what is special in the password") from error
    if scheme == "duckdb":
        if parts.netloc or parts.query or parts.fragment or len(parts.path) < 2:
            raise ValueError(
                "duckdb:/// needs a path and nothing else, such as duckdb:////srv/warehouse.duckdb"
            )
        # As in SQLAlchemy: three slashes for a relative path, four for an absolute path.
        return WarehouseAddress("duckdb", unquote(parts.path[1:]))
    if scheme in _POSTGRESQL:
        return WarehouseAddress("postgresql", options=_parse_postgresql(text))
    if scheme == "sc":
        if not parts.hostname:
            raise ValueError("a Spark Connect URL needs a host, such as sc://localhost:15002")
        return WarehouseAddress("spark", text)
    if scheme in ("http", "https", "file", "s3", "redis", "rediss", "sqlite3", "jdbc"):
        raise ValueError(
            f"{scheme}:// is not a database: give a path, or a URL of duckdb, postgresql, sc or a dialect of "
            "SQLAlchemy"
        )
    return WarehouseAddress("sqlalchemy", text)


def _parse_postgresql(text: str) -> dict[str, str]:
    parts = urlsplit(text)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = {"user": unquote(user), "password": unquote(password), "dbname": unquote(parts.path[1:])}
    options.update(_parse_hosts(hosts))
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _LIBPQ:
            raise ValueError(
                "an option after the ? is not known to libpq; give options such as sslmode or target_session_attrs"
            )
        options[name] = value
    if parts.fragment:
        raise ValueError("a # must be written %23 in a URL")
    return _check({name: value for name, value in options.items() if value})


def _parse_hosts(hosts: str) -> Iterator[tuple[str, str]]:
    """Read `host`, `host:port`, `[::1]:port`, or several with commas."""
    pairs = [re.fullmatch(r"(\[[0-9a-fA-F:.%]+\]|[^:\[\]]*)(?::(\d*))?", host) for host in hosts.split(",")]
    if not all(pairs):
        raise ValueError("host and port must be host:port; %-encode what is special in the password")
    found = [(unquote(pair[1].strip("[]")), pair[2] or "") for pair in pairs if pair]
    yield "host", ",".join(host for host, _ in found)
    if any(port for _, port in found):
        yield "port", ",".join(port or "5432" for _, port in found)


def _parse_pairs(text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in _split_pairs(text):
        key = _fold(name)
        if key in _IGNORED:
            continue
        if key not in _NPGSQL:
            # The name may be a part of a password, so the message does not contain it.
            raise ValueError(
                "a name before = is unknown; Host, Port, Username, Password, Database, SSL Mode and Root "
                "Certificate are known. A value with ; must be in quotes"
            )
        options[_NPGSQL[key]] = value
    if "sslmode" in options:
        mode = _fold(options["sslmode"])
        if mode not in _SSL_MODES:
            raise ValueError("SSL Mode must be Disable, Allow, Prefer, Require, VerifyCA or VerifyFull")
        options["sslmode"] = _SSL_MODES[mode]
    if not options.get("host"):
        raise ValueError("it needs a Host")
    return _check({name: value for name, value in options.items() if value})


def _split_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Split at semicolons; a value in quotes may contain semicolons, and its own quote doubled."""
    pair = re.compile(
        r"""\s*([^=;]+?)\s*=\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|((?!["'])[^;]*?))\s*(?:;|$)"""
    )
    at = 0
    while text[at:].strip(" ;\t\r\n"):
        match = pair.match(text, at)
        if not match:
            raise ValueError("each part must be Name=value, with ; between them and values with ; in quotes")
        name, double, single, plain = match.groups()
        value = double.replace('""', '"') if double is not None else plain
        yield name, single.replace("''", "'") if single is not None else value or ""
        at = match.end()


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.lower())


def _check(options: dict[str, str]) -> dict[str, str]:
    for port in options.get("port", "5432").split(","):
        if not is_whole(port, 1, LAST_PORT):
            raise ValueError(f"the port must be a number from 1 to {LAST_PORT}")
    if set(options.get("host", "")) & set(" ='\"@?#"):
        raise ValueError("the host must be a name or an address; pairs are separated by semicolons")
    return options
