"""Checks of client address and Host header before each request of the product's own application."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from functools import lru_cache

from flask.globals import request_ctx
from werkzeug.exceptions import Forbidden, SecurityError

from reports_app.exposure import OPEN_VARIABLE, is_loopback, without_port


def refuse_other_machines() -> None:
    """Refuse a request from another machine, independent of the server and its addresses."""
    # The address is empty for a Unix socket.
    address = request_ctx.request.remote_addr
    if address and not is_loopback(address):
        raise Forbidden(
            f"This API serves its own machine only. Start the API with {OPEN_VARIABLE}=yes to serve other machines."
        )


def refuse_other_hosts(names: Collection[str], *, allow_addresses: bool) -> Callable[[], None]:
    """Return a check that the Host header is one of `names`, or an address if `allow_addresses` is set.

    The check defeats DNS rebinding, where the name of another site resolves to this machine: such requests always
    have a host name. A name with a leading dot includes all its subdomains. Flask's own check, TRUSTED_HOSTS,
    refuses every IPv6 address.
    """
    known = frozenset(name.removeprefix(".") for name in names)
    suffixes = tuple(f".{name.removeprefix('.')}" for name in names if name.startswith("."))

    @lru_cache(maxsize=64)
    def is_ours(host: str) -> bool:
        name = without_port(host).lower()
        return name in known or name.endswith(suffixes) or (allow_addresses and _is_address(name))

    def check() -> None:
        request = request_ctx.request
        host = request.environ.get("HTTP_HOST")
        # `request.host` is empty for an invalid host name.
        if host is not None and not is_ours(request.host):
            raise SecurityError(
                f"The host name {host[:100]!r} is not allowed: add it to REPORTS_ALLOWED_HOSTS."
            )

    return check


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
