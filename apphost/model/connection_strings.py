"""A broker's address in the forms in which Aspire hands it out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from apphost.errors import SettingsError

SENTINEL_PORT = 26379
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")

_PASSWORD = re.compile(r"""(?i)(?:^|[;?&])\s*(?:password|pwd)\s*=\s*(?:(["'])(.*?)\1\s*(?:;|$)|([^;&]*))""")
_URL_PASSWORD = re.compile(r"[^/]*://[^/@:]*:([^/]*)@")


@dataclass(frozen=True)
class BrokerConnection:
    """Where a broker is. `text` is what was given, or Aspire's `host:port,password=...` form.

    Where sentinels know where it is, host and port are those of the first of them.
    """

    text: str
    url: str
    host: str
    port: int
    password: str
    sentinel_password: str = ""

    @classmethod
    def of_our_own(cls, port: int, password: str) -> BrokerConnection:
        """The connection of a server that we start, on loopback."""
        text = f"localhost:{port},password={password}"
        return cls(text, f"redis://:{quote(password, safe='')}@localhost:{port}", "localhost", port, password)


def parse_connection(name: str, text: str) -> BrokerConnection:
    """Read what a user gave as `ConnectionStrings__<name>`: a URL of one of the `SCHEMES`, or Aspire's form.

    Raises SettingsError without repeating the value, which may hold a password.
    """
    try:
        return _parse_url(text, text) if "://" in text else _parse_pairs(text)
    except ValueError as error:
        raise SettingsError(
            f"ConnectionStrings__{name} is not valid: give host:port,password=...,ssl=true "
            f"or a URL with one of {', '.join(SCHEMES)}"
        ) from error


def _parse_url(url: str, text: str) -> BrokerConnection:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(parts.scheme)
    if sentinels := read_sentinels(url):
        first, port = sentinels[0]
        if not first or not parts.path.strip("/"):
            raise ValueError("no sentinel, or no name of what they watch")
        password = urlsplit(f"//{parts.netloc.rpartition('@')[0]}@primary").password
        own = dict(parse_qsl(parts.query)).get("sentinel_password", "")
        return BrokerConnection(text, url, first, port, unquote(password or ""), own)
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


def find_passwords(text: str) -> list[str]:
    """Find what is secret in the connection string of a database, a URL or `Name=value;...`, in each form."""
    found = [match.group(2) or match.group(3) for match in _PASSWORD.finditer(text)]
    found += [match[1] for match in [_URL_PASSWORD.match(text)] if match]
    return [form for one in found if one for form in {one, unquote(one)}]


def read_sentinels(url: str) -> list[tuple[str, int]]:
    """Read where the sentinels are; none in a URL of another kind. Raises ValueError."""
    parts = urlsplit(url)
    if not parts.scheme.endswith("+sentinel"):
        return []
    hosts = parts.netloc.rpartition("@")[2].split(",")
    addresses = [urlsplit(f"//{host}") for host in hosts]
    return [(address.hostname or "", address.port or SENTINEL_PORT) for address in addresses]
