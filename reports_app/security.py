"""Headers that keep browsers from doing what a page did not mean."""

from __future__ import annotations

from collections.abc import Callable, Collection

from flask import Response, request
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import host_is_trusted

_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_COMMON = "default-src 'none'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'"
PAGES_POLICY = f"{_COMMON}; script-src 'self'; style-src 'self'; frame-src 'self'; frame-ancestors 'self'"
# rq-dashboard has its script in the page and builds its rows with the Function constructor.
QUEUE_DASHBOARD_POLICY = (
    f"{_COMMON}; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; frame-ancestors 'none'"
)


def add_security_headers(answer: Response, policy: str = PAGES_POLICY) -> Response:
    """Set them, but leave alone what a view chose for itself."""
    is_page = answer.mimetype == "text/html"
    answer.headers.setdefault("Content-Security-Policy", policy if is_page else _DATA_POLICY)
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    if is_page:
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        answer.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if not answer.cache_control:
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def refuse_other_hosts(names: Collection[str]) -> Callable[[], None]:
    """Make the check that a request addresses us by one of `names`.

    Flask's own, TRUSTED_HOSTS, refuses every IPv6 address.
    """

    def check() -> None:
        in_brackets = request.host.rpartition("]")[0] + "]"
        if not host_is_trusted(request.host, names) and in_brackets not in names:
            raise SecurityError(f"This is not served as {request.headers.get('Host', '')[:100]!r}.")

    return check
