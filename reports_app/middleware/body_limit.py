"""The limit of a request body."""

from __future__ import annotations

from flask.globals import request_ctx
from werkzeug.exceptions import RequestEntityTooLarge

from reports_app.contract.limits import MAX_BODY_BYTES


def limit_body() -> None:
    """Refuse a body above the limit. Werkzeug would silently truncate a body of unknown length."""
    request = request_ctx.request
    if request.method in ("GET", "HEAD"):
        # No view reads the body.
        return
    if request.content_length is not None:
        request.max_content_length = MAX_BODY_BYTES
        return
    request.max_content_length = MAX_BODY_BYTES + 1
    if len(request.get_data()) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
