"""Headers that keep browsers from doing what a page did not mean."""

from __future__ import annotations

from flask import Response

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
