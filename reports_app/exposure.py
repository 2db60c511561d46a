"""Whether others than the users of this machine can reach the API, and what is said where they can."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from reports_worker import SettingsError

OPEN_VARIABLE = "REPORTS_OPEN"
OPEN_WARNING = (
    f"{OPEN_VARIABLE}=yes: there is no sign-in, so everyone who reaches this API can ask for, read, cancel and "
    "delete all reports."
)


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Tell whether an address, or the name of one, can be reached from this machine only."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def require_open(reach: str) -> SettingsError:
    """Say that `reach` (a clause) needs a choice, and which ways there are."""
    return SettingsError(
        f"{reach}, and the API has no sign-in: serve on 127.0.0.1 without a proxy, or set {OPEN_VARIABLE}=yes, "
        "and REPORTS_ALLOWED_HOSTS to its names, and put a proxy with a login in front, since everyone who reaches "
        "the port can then ask for, read, cancel and delete all reports."
    )
