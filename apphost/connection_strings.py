"""A broker's address in the forms in which Aspire hands it out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from .errors import SettingsError


@dataclass(frozen=True)
class BrokerConnection:
    """Where a broker is. `text` is what was given, or Aspire's `host:port,password=...` form."""

    text: str
    url: str
    host: str
    port: int
    password: str

    @classmethod
    def of_our_own(cls, port: int, password: str) -> BrokerConnection:
        """The connection of a server that we start, on loopback."""
        text = f"localhost:{port},password={password}"
        return cls(text, f"redis://:{quote(password, safe='')}@localhost:{port}", "localhost", port, password)


def parse_connection(name: str, text: str) -> BrokerConnection:
    """Read what a user gave as `ConnectionStrings__<name>`: a redis, rediss or unix URL, or Aspire's form.

    Raises SettingsError without repeating the value, which may hold a password.
    """
    try:
        return _parse_url(text, text) if "://" in text else _parse_pairs(text)
    except ValueError as error:
        raise SettingsError(
            f"ConnectionStrings__{name} is not valid: give host:port,password=...,ssl=true "
            "or a redis, rediss or unix URL"
        ) from error


def _parse_url(url: str, text: str) -> BrokerConnection:
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(parts.scheme)
    host = parts.path if parts.scheme == "unix" else parts.hostname
    if not host:
        raise ValueError("no host")
    return BrokerConnection(text, url, host, parts.port or 6379, unquote(parts.password or ""))


def _parse_pairs(text: str) -> BrokerConnection:
    endpoint, *pairs = text.split(",")
    options = {
        name.strip().lower(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs)
    }
    scheme = "rediss" if options.get("ssl", "").lower() == "true" else "redis"
    credentials = f"{quote(options.get('user', ''), safe='')}:{quote(options.get('password', ''), safe='')}@"
    host = endpoint.strip() if ":" in endpoint else f"{endpoint.strip()}:6379"
    database = options.get("defaultdatabase", "0")
    return _parse_url(f"{scheme}://{credentials if credentials != ':@' else ''}{host}/{database}", text)
