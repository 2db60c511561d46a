"""The settings of the web application, read once from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reports_worker import Settings, SettingsError
from reports_worker.lib.environ import parse_boolean, read
from reports_worker.lib.whole_number import parse_port, parse_whole

from .exposure import LOOPBACK_NAMES, OPEN_VARIABLE, find_own_names, is_loopback, require_open

SHORTEST_SECRET = 16
_HOST = re.compile(r"([a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f.:]+\])(?::\d+)?", re.ASCII)


@dataclass(frozen=True)
class AppSettings:
    """The settings of API and pages.

    Without a `secret_key`, the application generates and stores one; this is possible on loopback only. `is_open`
    permits access from other machines, on another address or through a proxy.
    """

    shared: Settings = field(default_factory=Settings)
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 2
    proxies: int = 0
    is_open: bool = False
    allowed_hosts: tuple[str, ...] = ()
    secret_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> AppSettings:
        """Read the settings. Raises SettingsError with variable and value for the first invalid one."""
        settings = cls(
            shared=Settings.from_environ(environ),
            host=read(environ, "REPORTS_HOST", str, cls.host),
            port=read(environ, "PORT", parse_port, cls.port),
            processes=read(environ, "WEB_CONCURRENCY", parse_whole(1, 64), cls.processes),
            proxies=read(environ, "REPORTS_PROXIES", parse_whole(0, 8), cls.proxies),
            is_open=read(environ, OPEN_VARIABLE, parse_boolean, cls.is_open),
            allowed_hosts=read(environ, "REPORTS_ALLOWED_HOSTS", _parse_names, cls.allowed_hosts),
            secret_key=_read_secret(environ),
        )
        settings.refuse_address(settings.host, f"REPORTS_HOST={settings.host!r}")
        if settings.proxies and not settings.is_open:
            raise require_open(
                f"REPORTS_PROXIES={settings.proxies} means that other machines can reach the API through a proxy"
            )
        return settings

    def refuse_address(self, host: str, called: str = "") -> None:
        """Raise SettingsError if other machines can reach `host`, unless REPORTS_OPEN and a secret are set.

        `called` names the address in the message. Every host name but localhost counts as reachable.
        """
        if is_loopback(host):
            return
        reach = f"{called or f'The address {host!r}'} can be reached from other machines"
        if not self.is_open:
            raise require_open(reach)
        if self.secret_key is None:
            raise SettingsError(
                f"{reach}, and REPORTS_SECRET_KEY is not set: "
                f"set it to a secret of at least {SHORTEST_SECRET} characters, the same for each process."
            )

    @property
    def address(self) -> str:
        """Host and port in one text, with brackets around an IPv6 address."""
        host = self.host.strip("[]")
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def host_names(self) -> tuple[str, ...]:
        """The host names that requests may use; a name with a leading dot includes all its subdomains."""
        own = sorted(find_own_names()) if self.is_open else ()
        return (*LOOPBACK_NAMES, *self.allowed_hosts, *own)


def _read_secret(environ: Mapping[str, str]) -> str | None:
    secret = environ.get("REPORTS_SECRET_KEY") or None
    if secret and len(secret) < SHORTEST_SECRET:
        # The message does not repeat the value, which is a secret.
        raise SettingsError(f"REPORTS_SECRET_KEY is too short: give at least {SHORTEST_SECRET} characters")
    return secret


def _parse_names(text: str) -> tuple[str, ...]:
    return tuple(_parse_name(name.strip()) for name in text.split(",") if name.strip())


def _parse_name(text: str) -> str:
    """Normalize a host name to the form in requests: lower case, ASCII, without a port."""
    try:
        found = _HOST.fullmatch(text.lower().removeprefix(".").encode("idna").decode("ascii"))
    except UnicodeError:
        found = None
    if found is None:
        raise ValueError(
            "give host names separated by commas, such as reports.example.com, or .example.com for all subdomains"
        )
    return f".{found[1]}" if text.startswith(".") else found[1]
