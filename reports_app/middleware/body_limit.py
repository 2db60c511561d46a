"""The limit of a request body."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from reports_app.contract.limits import MOST_BYTES


def limit_body() -> None:
    """Refuse a body that is too long; Werkzeug cuts off one of unknown length without a word."""
    if request.method in ("GET", "HEAD"):
        # Nothing reads it.
        return
    if request.content_length is not None:
        request.max_content_length = MOST_BYTES
        return
    request.max_content_length = MOST_BYTES + 1
    if len(request.get_data()) > MOST_BYTES:
        raise RequestEntityTooLarge
