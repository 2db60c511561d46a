"""Which machines may connect, and by which host names: checked before each request of our own application."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from functools import lru_cache

from flask import request
from werkzeug.exceptions import Forbidden, SecurityError

from reports_app.exposure import OPEN_VARIABLE, is_loopback, without_port


def refuse_other_machines() -> None:
    """Refuse a request from another machine, whichever server and address the application was given to."""
    # Empty for a Unix socket.
    address = request.remote_addr
    if address and not is_loopback(address):
        raise Forbidden(
            f"This API serves its own machine only. {OPEN_VARIABLE}=yes, set where it starts, opens it."
        )


def refuse_other_hosts(names: Collection[str], *, allow_addresses: bool) -> Callable[[], None]:
    """Make the check that a request addresses us by one of `names`, or by an address where these are allowed.

    A page elsewhere whose name is made to resolve to this machine (DNS rebinding) then reaches nothing: it
    always comes by a name, never by an address or without a Host. A name that begins with a dot stands for all
    below it. Flask's own check, TRUSTED_HOSTS, refuses every IPv6 address.
    """
    known = frozenset(name.removeprefix(".") for name in names)
    suffixes = tuple(f".{name.removeprefix('.')}" for name in names if name.startswith("."))

    @lru_cache(maxsize=64)
    def is_ours(host: str) -> bool:
        name = without_port(host).lower()
        return name in known or name.endswith(suffixes) or (allow_addresses and _is_address(name))

    def check() -> None:
        host = request.environ.get("HTTP_HOST")
        # What `request.host` makes of a name that cannot be one is empty.
        if host is not None and not is_ours(request.host):
            raise SecurityError(
                f"This is not served as {host[:100]!r}: set REPORTS_ALLOWED_HOSTS to the names that it has."
            )

    return check


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
