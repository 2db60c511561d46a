"""A broker's address in the forms in which Aspire hands it out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from apphost.errors import SettingsError
from apphost.whole_number import LAST_PORT, is_whole

BROKER_PORT = 6379
SENTINEL_PORT = 26379
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
# Options of a URL that are for the sentinels, and their names for redis-py.
SENTINEL_OPTIONS = {"sentinel_username": "username", "sentinel_password": "password"}

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_DATABASE_PATH = re.compile(r"/?\d*", re.ASCII)
_PRIMARY_PATH = re.compile(r"/([A-Za-z0-9._-]+)(/\d*)?", re.ASCII)
_BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}
_OPTIONS = {"password", "user", "ssl", "defaultdatabase"}
# Options of StackExchange.Redis that choose nothing here.
_IGNORED_OPTIONS = {"abortconnect", "allowadmin", "connectretry", "connecttimeout", "keepalive",
                    "name", "protocol", "responsetimeout", "sslprotocols", "synctimeout"}  # fmt: skip

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

    API and workers read the same text with a parser of their own. One table of texts tests both, so that the apphost
    accepts exactly what they accept. Raises SettingsError without repeating the value, which may hold a password.
    """
    text = text.strip()
    try:
        text.encode()  # fails for a byte of the environment that is no text
        return _parse_url(text, text) if _URL.match(text) else _parse_pairs(text)
    except ValueError as error:
        raise SettingsError(
            f"ConnectionStrings__{name} is not valid: give host:port,password=...,ssl=true "
            f"or a URL with one of {', '.join(SCHEMES)}"
        ) from error


def _parse_url(url: str, text: str) -> BrokerConnection:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(parts.scheme)
    url = parts.scheme + url[len(parts.scheme) :]
    if parts.scheme.endswith("+sentinel"):
        return _parse_sentinel_url(url, text)
    host = parts.path if parts.scheme == "unix" else parts.hostname
    if not host or (parts.scheme != "unix" and not _DATABASE_PATH.fullmatch(parts.path)) or parts.port == 0:
        raise ValueError("no host, no port, or no number of a database")
    if parts.scheme != "unix":
        _check_host(unquote(host))
    _check_options(url)
    return BrokerConnection(text, url, host, parts.port or BROKER_PORT, unquote(parts.password or ""))


def _parse_sentinel_url(url: str, text: str) -> BrokerConnection:
    parts = urlsplit(url)
    path = _PRIMARY_PATH.fullmatch(parts.path)
    if not path or parts.fragment:
        raise ValueError("no name of a primary")
    host, port = read_sentinels(url)[0]
    login = parts.netloc.rpartition("@")[0]
    options = parse_qsl(parts.query, keep_blank_values=True)
    rest = urlencode([pair for pair in options if pair[0] not in SENTINEL_OPTIONS])
    plain = f"{parts.scheme.removesuffix('+sentinel')}://{login}@primary{path[2] or ''}?{rest}"
    _check_options(plain)
    password = unquote(urlsplit(plain).password or "")
    return BrokerConnection(text, url, host, port, password, dict(options).get("sentinel_password", ""))


def _check_options(url: str) -> None:
    """Have redis-py read what follows the question mark; raise ValueError for what it does not know."""
    from redis import ConnectionPool, RedisError  # noqa: PLC0415 - takes 0.2 s: only a broker of the user's needs it

    try:
        ConnectionPool.from_url(url).make_connection()
    except (TypeError, RedisError) as error:
        raise ValueError("an option is unknown, or has a wrong value") from error


def _parse_pairs(text: str) -> BrokerConnection:
    endpoint, *pairs = text.split(",")
    options = dict(_parse_pair(pair) for pair in pairs if pair.strip())
    database = options.get("defaultdatabase", "0")
    if options.keys() - _OPTIONS - _IGNORED_OPTIONS or not is_whole(database):
        raise ValueError("an option is unknown, or has a wrong value")
    scheme = "rediss" if _BOOLEANS[options.get("ssl", "false").lower()] else "redis"
    credentials = f"{quote(options.get('user', ''), safe='')}:{quote(options.get('password', ''), safe='')}@"
    login = credentials if credentials != ":@" else ""
    return _parse_url(f"{scheme}://{login}{_parse_endpoint(endpoint)}/{database}", text)


def _parse_pair(pair: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    name, value = name.strip().lower(), value.strip()
    if not separator or (name == "ssl" and value.lower() not in _BOOLEANS):
        raise ValueError("no name=value, or no boolean")
    return name, value


def _parse_endpoint(text: str) -> str:
    host, _, port = text.strip().rpartition(":") if ":" in text else (text.strip(), "", str(BROKER_PORT))
    if not host or not is_whole(port, 1, LAST_PORT) or set(host) & set("/?#@ "):
        raise ValueError("no host:port")
    return f"{host}:{port}"


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
    return [_read_sentinel(text) for text in parts.netloc.rpartition("@")[2].split(",")]


def _read_sentinel(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    host, port = parts.hostname, SENTINEL_PORT if parts.port is None else parts.port
    if not host or port == 0 or parts.netloc != text or set(text) & set("@ "):
        raise ValueError("no host:port")
    _check_host(host)
    return host, port


def _check_host(host: str) -> None:
    """Raise ValueError for a name that `socket` cannot encode."""
    if not host.isprintable():
        raise ValueError("a control character")
    host.encode("idna")
