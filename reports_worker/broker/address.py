"""The broker's connection string, in every form that users and orchestrators give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from redis import ConnectionPool
from redis.exceptions import RedisError

from reports_worker.errors import SettingsError
from reports_worker.lib.environ import parse_boolean
from reports_worker.lib.whole_number import LAST_PORT, is_whole

VARIABLES = ("ConnectionStrings__broker", "BROKER_URI")
_SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
SCHEMES = ("redis", "rediss", "unix", *_SENTINEL_SCHEMES)
SENTINEL_PORT = 26379

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_END_OF_AUTHORITY = re.compile("[/?#]")
_DATABASE_PATH = re.compile(r"/?\d*", re.ASCII)
# The characters that Sentinel itself allows in the name of a primary.
_PRIMARY_PATH = re.compile(r"/([A-Za-z0-9._-]+)(/\d*)?", re.ASCII)
_SENTINEL_FORM = (
    "each sentinel must be host or host:port, with commas between them and an IPv6 address in [ ]"
)
_SENTINEL_OPTIONS = {"sentinel_username": "username", "sentinel_password": "password"}

# Options of StackExchange.Redis (its Configuration page) that choose nothing here.
_IGNORED_OPTIONS = {"abortconnect", "allowadmin", "connectretry", "connecttimeout", "keepalive",
                    "name", "protocol", "responsetimeout", "sslprotocols", "synctimeout"}  # fmt: skip


@dataclass(frozen=True)
class Sentinels:
    """The sentinels that know the current primary; `credentials` are for the sentinels, not for the primary."""

    addresses: tuple[tuple[str, int], ...]
    primary: str
    credentials: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        pairs = [(f"[{host}]" if ":" in host else host, port) for host, port in self.addresses]
        return f"{','.join(f'{host}:{port}' for host, port in pairs)}/{self.primary}"


@dataclass(frozen=True)
class BrokerAddress:
    """A redis, rediss or unix URL in redis-py's form. Its text hides the password.

    With `sentinels`, the sentinels name the server, and the host in the URL is a placeholder.
    """

    url: str
    sentinels: Sentinels | None = None

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        if self.sentinels:
            return f"{parts.scheme}+sentinel://{self.sentinels}{parts.path}"
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    __repr__ = __str__


LOCAL_BROKER = BrokerAddress("redis://localhost:6379")


def find_broker_address(environ: Mapping[str, str]) -> BrokerAddress:
    """Read the first of `VARIABLES` that is set; by default return `LOCAL_BROKER`."""
    for name in VARIABLES:
        if text := environ.get(name, "").strip():
            try:
                return parse_address(text)
            except ValueError as error:
                # The value may hold a password, so the message does not contain it.
                raise SettingsError(f"{name} is not valid: {error}") from error
    return LOCAL_BROKER


def parse_address(text: str) -> BrokerAddress:
    """Parse a URL of one of the `SCHEMES`, or Aspire's `host:port,password=...,ssl=true`.

    Raises ValueError with a message that does not contain the password.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        # A byte of the environment that is no text; redis-py fails on it at each connection.
        raise ValueError("it is not text in UTF-8; %-encode what is special in the password") from None
    return _parse_url(text) if _URL.match(text) else _parse_aspire(text)


def _parse_url(text: str) -> BrokerAddress:
    if text.partition("://")[0].lower() in _SENTINEL_SCHEMES:
        return _parse_sentinel_url(text)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        # Its text may repeat all of user, password and host.
        raise ValueError("it cannot be read as a URL; %-encode what is special in the password") from error
    if parts.scheme not in SCHEMES:
        raise ValueError(f"the scheme must be one of {', '.join(SCHEMES)}")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"the port must be a number from 1 to {LAST_PORT}") from error
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("a unix URL needs the path of a socket")
    elif not parts.hostname or port == 0:
        raise ValueError("a URL needs a host, and a port from 1 to 65535 if it names one")
    elif not _DATABASE_PATH.fullmatch(parts.path):
        raise ValueError("after host and port only the number of a database may follow; %-encode a password")
    else:
        _check_host(unquote(parts.hostname))
    return _checked(BrokerAddress(parts.scheme + text[len(parts.scheme) :]))


def _parse_sentinel_url(text: str) -> BrokerAddress:
    """Parse `redis+sentinel://user:password@host1:26379,host2/primary/0?sentinel_password=...`."""
    scheme, _, rest = text.partition("://")
    # Newer Pythons refuse a list of hosts in which one has brackets, so each host is parsed by itself.
    place = _END_OF_AUTHORITY.split(rest, maxsplit=1)[0]
    credentials, _, hosts = place.rpartition("@")
    parts = urlsplit(f"//primary{rest[len(place) :]}")
    path = _PRIMARY_PATH.fullmatch(parts.path)
    if not path or parts.fragment:
        raise ValueError(
            "after the sentinels must follow /, the name of the primary that they watch, "
            "and / and a database's number if it is not 0; %-encode a password"
        )
    options = parse_qsl(parts.query, keep_blank_values=True)
    own = tuple((_SENTINEL_OPTIONS[name], value) for name, value in options if name in _SENTINEL_OPTIONS)
    query = urlencode([(name, value) for name, value in options if name not in _SENTINEL_OPTIONS])
    sentinels = Sentinels(tuple(_parse_sentinel(host) for host in hosts.split(",")), path[1], own)
    scheme = scheme.lower().removesuffix("+sentinel")
    login = f"{credentials}@" if credentials else ""
    url = f"{scheme}://{login}primary{path[2] or ''}{f'?{query}' if query else ''}"
    return _checked(BrokerAddress(url, sentinels))


def _parse_sentinel(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
    except ValueError as error:
        raise ValueError(_SENTINEL_FORM) from error
    try:
        port = SENTINEL_PORT if parts.port is None else parts.port
    except ValueError as error:
        raise ValueError("the port of a sentinel must be a number from 1 to 65535") from error
    if not parts.hostname or port == 0 or parts.netloc != text or set(text) & set("@ "):
        raise ValueError(_SENTINEL_FORM)
    _check_host(parts.hostname)
    return parts.hostname, port


def _check_host(host: str) -> None:
    """Encode the name as `socket` does: its UnicodeError would end the first connection, as no error of Redis."""
    try:
        if not host.isprintable():
            raise ValueError("a control character")
        host.encode("idna")
    except ValueError as error:
        raise ValueError(
            "the host must be an IP address or the name of a host: 1 to 63 characters before and after each dot"
        ) from error


def _checked(address: BrokerAddress) -> BrokerAddress:
    """Have redis-py check the options after the question mark now, not at the first connection."""
    try:
        ConnectionPool.from_url(address.url).make_connection()
    except (ValueError, TypeError, RedisError) as error:
        raise ValueError("an option after the ? is unknown, or has a value that it cannot have") from error
    return address


def _parse_aspire(text: str) -> BrokerAddress:
    endpoint, *pairs = text.split(",")
    options = dict(_parse_option(pair) for pair in pairs if pair.strip())
    unknown = options.keys() - {"password", "user", "ssl", "defaultdatabase"} - _IGNORED_OPTIONS
    if unknown:
        raise ValueError(
            f"unknown option {min(unknown)!r}; password, user, ssl and defaultDatabase are known"
        )
    tls = _parse_tls(options.get("ssl", "false"))
    database = options.get("defaultdatabase", "0")
    if not is_whole(database):
        raise ValueError("defaultDatabase must be a number")
    user, password = quote(options.get("user", ""), safe=""), quote(options.get("password", ""), safe="")
    credentials = f"{user}:{password}@" if user or password else ""
    return _parse_url(f"{'rediss' if tls else 'redis'}://{credentials}{_parse_endpoint(endpoint)}/{database}")


def _parse_option(pair: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    if not separator:
        raise ValueError("each part after host:port must be name=value; one host:port is taken")
    return name.strip().lower(), value.strip()


def _parse_tls(text: str) -> bool:
    try:
        return parse_boolean(text)
    except ValueError as error:
        raise ValueError("ssl must be true or false (or yes or no)") from error


def _parse_endpoint(text: str) -> str:
    host, _, port = text.strip().rpartition(":") if ":" in text else (text.strip(), "", "6379")
    if not host or not is_whole(port, 1, LAST_PORT) or set(host) & set("/?#@ "):
        raise ValueError("it must begin with host:port, such as localhost:6379, or be a redis:// URL")
    return f"{host}:{port}"
