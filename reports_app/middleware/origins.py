"""Protection against cross-site requests: programs and the product's own pages may change reports, other sites not."""

from __future__ import annotations

from functools import lru_cache

from flask.globals import request_ctx
from werkzeug.exceptions import Forbidden

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def refuse_other_origins() -> None:
    """Refuse a request from a page of another site that would change something.

    Browsers send the origin of a request, and no page can prevent this: `Sec-Fetch-Site` if the address is HTTPS or
    loopback, else `Origin`. Another port of the same host counts as another site, since cookies ignore ports.
    Programs send neither header.
    """
    request = request_ctx.request
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
            f"A page of {sender} sent this request, and only pages of {request.host} may change reports. "
            f"Nothing was changed. Repeat the action on a page of {request.host}."
        )


@lru_cache(maxsize=64)
def is_own_origin(origin: str, host: str) -> bool:
    """Whether the Origin header has the host and port of `host`.

    The scheme is ignored: behind a proxy that terminates TLS without X-Forwarded-Proto, the API sees http and the
    browser sees https.
    """
    scheme, _, authority = origin.lower().partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    if port is None or not host:
        return False
    return authority.removesuffix(port) == host.lower().removesuffix(port)
