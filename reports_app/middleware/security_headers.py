"""Security headers of all responses."""

from __future__ import annotations

from functools import cache

from flask import Response

_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_COMMON = "default-src 'none'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'"
PAGES_POLICY = f"{_COMMON}; script-src 'self'; style-src 'self'; frame-src 'self'; frame-ancestors 'self'"
# rq-dashboard has inline scripts and creates its rows with the Function constructor.
QUEUE_DASHBOARD_POLICY = (
    f"{_COMMON}; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; frame-ancestors 'none'"
)

# The attribute of a response that has all security headers.
_COMPLETE = "reports_has_security_headers"
_ALWAYS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))
_DATA_HEADERS = (("Content-Security-Policy", _DATA_POLICY), *_ALWAYS)


@cache
def _page_headers(policy: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        *_ALWAYS,
    )


def add_security_headers(response: Response, policy: str = PAGES_POLICY) -> Response:
    """Add the headers that the view has not set.

    Most responses come here twice, from the blueprint and from the application: the second time nothing is missing.
    """
    if getattr(response, _COMPLETE, False):
        return response
    setattr(response, _COMPLETE, True)
    is_page = (response.content_type or "").startswith("text/html")
    wanted = _page_headers(policy) if is_page else _DATA_HEADERS
    # Werkzeug raises an exception for each look-up of a missing header.
    present = {name.lower() for name, _ in response.headers}
    for name, value in wanted:
        if name.lower() not in present:
            response.headers.add(name, value)
    return response
