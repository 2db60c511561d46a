"""Who changes something here: programs, and our own pages in a browser, but no page of another site."""

from __future__ import annotations

from functools import lru_cache

from flask import request
from werkzeug.exceptions import Forbidden

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def refuse_strange_origins() -> None:
    """Refuse a request by which a page of another site would change something.

    Browsers say where a request comes from, and no page can keep them from it: `Sec-Fetch-Site` where the
    address is HTTPS or loopback, `Origin` otherwise. Another port of the same host is another site here, since
    cookies know no ports. Programs send neither.
    """
    environ = request.environ
    if environ["REQUEST_METHOD"] in SAFE_METHODS:
        return
    origin = environ.get("HTTP_ORIGIN")
    if (site := environ.get("HTTP_SEC_FETCH_SITE")) is not None:
        is_fine = site in ("same-origin", "none")
    else:
        is_fine = origin is None or is_own_origin(origin, request.host)
    if not is_fine:
        sender = repr(origin[:100]) if origin and origin != "null" else "another site"
        raise Forbidden(
            f"A page of {sender} sent this request, and only pages of {request.host} may change something "
            "here. Nothing was changed."
        )


@lru_cache(maxsize=64)
def is_own_origin(origin: str, host: str) -> bool:
    """Tell whether the header Origin names `host` and its port.

    The scheme does not count: behind a proxy that ends TLS and does not say so, we see http where the browser
    sees https.
    """
    scheme, _, authority = origin.lower().partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    if port is None or not host:
        return False
    return authority.removesuffix(port) == host.lower().removesuffix(port)
