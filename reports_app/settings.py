"""The settings of the web side, read once from the environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reports_worker import Settings, SettingsError
from reports_worker.environment import read

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
SHORTEST_SECRET = 16


@dataclass(frozen=True)
class AppSettings:
    """What the API and the pages need to know before they start.

    `secret_key` is None where none was given: then one is made and kept, on loopback alone.
    """

    shared: Settings = field(default_factory=Settings)
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 2
    proxies: int = 0
    allowed_hosts: tuple[str, ...] = ()
    secret_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> AppSettings:
        """Read the settings; raise SettingsError, naming variable and value, on the first bad one."""
        settings = cls(
            shared=Settings.from_environ(environ),
            host=read(environ, "REPORTS_HOST", str, cls.host),
            port=read(environ, "PORT", _whole(1, 65535), cls.port),
            processes=read(environ, "WEB_CONCURRENCY", _whole(1, 64), cls.processes),
            proxies=read(environ, "REPORTS_PROXIES", _whole(0, 8), cls.proxies),
            allowed_hosts=read(environ, "REPORTS_ALLOWED_HOSTS", _parse_names, cls.allowed_hosts),
            secret_key=_read_secret(environ),
        )
        refuse_open_address_without_secret(settings.host, settings.secret_key)
        return settings

    @property
    def address(self) -> str:
        """Host and port in one, with the brackets that an IPv6 address needs there."""
        host = self.host.strip("[]")
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def trusted_hosts(self) -> list[str] | None:
        """The names that a request may address us by; None for any.

        On loopback, without a proxy, only loopback's own: a page elsewhere whose name is made to
        resolve to this machine (DNS rebinding) then reaches nothing.
        """
        if self.allowed_hosts:
            return [*self.allowed_hosts, *LOOPBACK_NAMES]
        return list(LOOPBACK_NAMES) if is_loopback(self.host) and not self.proxies else None


def is_loopback(host: str) -> bool:
    """Tell whether an address or name can be reached from this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_open_address_without_secret(host: str, secret_key: str | None) -> None:
    """Raise SettingsError where others can reach us and no secret was chosen for all our processes."""
    if secret_key is None and not is_loopback(host):
        raise SettingsError(
            f"REPORTS_SECRET_KEY is not set, and {host} can be reached from other machines: "
            f"set it to a secret of at least {SHORTEST_SECRET} characters, the same for each process."
        )


def _read_secret(environ: Mapping[str, str]) -> str | None:
    secret = environ.get("REPORTS_SECRET_KEY") or None
    if secret and len(secret) < SHORTEST_SECRET:
        # The value is a secret, so the sentence does not repeat it.
        raise SettingsError(f"REPORTS_SECRET_KEY is too short: give at least {SHORTEST_SECRET} characters")
    return secret


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return int(text)

    return parse


def _parse_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
