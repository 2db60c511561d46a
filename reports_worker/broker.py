"""The broker's connection string, in every form that users and orchestrators give, and clients for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from .errors import SettingsError

VARIABLES = ("ConnectionStrings__broker", "BROKER_URI")
SCHEMES = ("redis", "rediss", "unix")
OLDEST_SERVER = (6, 2)

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_DATABASE_PATH = re.compile(r"/?\d*", re.ASCII)

# Options of StackExchange.Redis (its Configuration page) that choose nothing here.
_IGNORED_OPTIONS = {"abortconnect", "allowadmin", "connectretry", "connecttimeout", "keepalive",
                    "name", "protocol", "responsetimeout", "sslprotocols", "synctimeout"}  # fmt: skip


@dataclass(frozen=True)
class BrokerAddress:
    """A redis, rediss or unix URL as redis-py takes it. Its text hides the password."""

    url: str

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    __repr__ = __str__


LOCAL_BROKER = BrokerAddress("redis://localhost:6379")


def find_broker_address(environ: Mapping[str, str]) -> BrokerAddress:
    """Take the first variable that is set; without one, the broker of this machine."""
    for name in VARIABLES:
        if text := environ.get(name, "").strip():
            try:
                return parse_address(text)
            except ValueError as error:
                # The value may hold a password, so the sentence does not repeat it.
                raise SettingsError(f"{name} is not valid: {error}") from error
    return LOCAL_BROKER


def parse_address(text: str) -> BrokerAddress:
    """Parse a redis/rediss/unix URL or Aspire's `host:port,password=...,ssl=true`.

    Raises ValueError with a sentence that does not contain the password.
    """
    return _parse_url(text) if _URL.match(text) else _parse_aspire(text)


def _parse_url(text: str) -> BrokerAddress:
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
        raise ValueError("the port must be a number from 1 to 65535") from error
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("a unix URL needs the path of a socket")
    elif not parts.hostname or port == 0:
        raise ValueError("a URL needs a host, and a port from 1 to 65535 if it names one")
    elif not _DATABASE_PATH.fullmatch(parts.path):
        raise ValueError("after host and port only the number of a database may follow; %-encode a password")
    address = BrokerAddress(parts.scheme + text[len(parts.scheme) :])
    _check_options(address)
    return address


def _check_options(address: BrokerAddress) -> None:
    """Let redis-py read what follows the question mark; else it complains at the first connection."""
    try:
        connect(address).connection_pool.make_connection()
    except (ValueError, TypeError, RedisError) as error:
        raise ValueError("an option after the ? is unknown, or has a value that it cannot have") from error


def _parse_aspire(text: str) -> BrokerAddress:
    endpoint, *pairs = text.split(",")
    options = dict(_parse_option(pair) for pair in pairs if pair.strip())
    unknown = options.keys() - {"password", "user", "ssl", "defaultdatabase"} - _IGNORED_OPTIONS
    if unknown:
        raise ValueError(
            f"unknown option {min(unknown)!r}; password, user, ssl and defaultDatabase are known"
        )
    tls = _parse_boolean(options.get("ssl", "false"))
    database = options.get("defaultdatabase", "0")
    if not database.isdecimal():
        raise ValueError("defaultDatabase must be a number")
    user, password = quote(options.get("user", ""), safe=""), quote(options.get("password", ""), safe="")
    credentials = f"{user}:{password}@" if user or password else ""
    return _parse_url(f"{'rediss' if tls else 'redis'}://{credentials}{_parse_endpoint(endpoint)}/{database}")


def _parse_option(pair: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    if not separator:
        raise ValueError("each part after host:port must be name=value; one host:port is taken")
    return name.strip().lower(), value.strip()


def _parse_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("ssl must be true or false")
    return text.lower() == "true"


def _parse_endpoint(text: str) -> str:
    host, _, port = text.strip().rpartition(":") if ":" in text else (text.strip(), "", "6379")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or set(host) & set("/?#@ "):
        raise ValueError("it must begin with host:port, such as localhost:6379, or be a redis:// URL")
    return f"{host}:{port}"


def connect(address: BrokerAddress, *, timeout_seconds: float = 1.0, retries: int = 1) -> Redis:
    """Make a client; it connects at its first command.

    A command fails after at most `(retries + 1) * timeout_seconds` and a short back-off.
    TLS certificates and host names are checked unless the URL itself says otherwise.
    """
    options: dict[str, object] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(ExponentialBackoff(cap=0.1, base=0.01), retries),
        # Without these four a new connection costs five round trips and reads package metadata from disk.
        "driver_info": None,
        "protocol": 2,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if address.url.startswith("rediss:"):
        options["ssl_check_hostname"] = True
        # TLS 1.3 sends tickets after its handshake. redis-py takes them for a reply left over and refuses
        # the connection, unless a first reply was read with them: this asks for one and takes any answer.
        options["driver_info"] = DriverInfo(lib_version=None)
    return Redis.from_url(address.url, **options)


def find_refusal(connection: Redis) -> str | None:
    """Say in one sentence why this server cannot be used; None when it can.

    RQ needs BLMOVE (6.2) to take a job without losing it, and falls back without a word where INFO is denied.
    """
    try:
        version = str(connection.info("server")["redis_version"])
    except (RedisError, KeyError) as error:
        return f"The broker does not tell its version (INFO): {error}. Allow INFO for this user."
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_SERVER:
        return (
            f"The broker is version {version}; 6.2 or newer is needed, since an older one can lose reports."
        )
    return None
