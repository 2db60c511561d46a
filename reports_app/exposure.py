"""Exposure of the API: whether other machines can reach the API, and the warning if they can."""

from __future__ import annotations

import ipaddress
import socket
from functools import lru_cache
from pathlib import Path

from reports_worker import SettingsError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
HOSTS_FILE = Path("/etc/hosts")
OPEN_VARIABLE = "REPORTS_OPEN"
OPEN_WARNING = (
    f"{OPEN_VARIABLE}=yes: there is no sign-in, so everyone who can reach this API can request, read, cancel and "
    "delete all reports."
)


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether an address or host name can be reached from this machine only."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def require_open(reach: str) -> SettingsError:
    """Return the error for a setting that exposes the API; `reach` is the clause that describes how."""
    return SettingsError(
        f"{reach}, and the API has no sign-in: serve on 127.0.0.1 without a proxy, or set {OPEN_VARIABLE}=yes and "
        "REPORTS_ALLOWED_HOSTS to the host names, and put a proxy with a login in front. Everyone who can reach the "
        "port can then request, read, cancel and delete all reports."
    )


def find_own_names(hosts_file: Path = HOSTS_FILE) -> frozenset[str]:
    """Find the names of this machine without DNS: its host name, and the names beside it in the hosts file."""
    own = socket.gethostname().lower()
    try:
        lines = hosts_file.read_text(encoding="utf-8", errors="replace").lower().splitlines()
    except OSError:
        lines = []
    rows = [line.partition("#")[0].split()[1:] for line in lines]
    return frozenset(name for row in rows if own in row for name in row) | {own}


def without_port(host: str) -> str:
    """Remove the port from a host in the form of `request.host`."""
    return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
