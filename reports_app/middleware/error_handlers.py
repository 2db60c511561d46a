"""Error responses: problem details for programs, a page for browsers."""

from __future__ import annotations

import logging

from flask import Response, render_template, request
from werkzeug.exceptions import BadHost, HTTPException, SecurityError

from reports_app.contract.problem_details import UNEXPECTED, problem_for
from reports_worker import BrokerUnavailableError, NoSuchReportError, ReportsError

log = logging.getLogger(__name__)


def handle_error(error: Exception) -> Response | tuple[str, int]:
    """Translate an exception into a response: problem details for the API, a page for a browser."""
    if not isinstance(error, (HTTPException, ReportsError)):
        log.error("unexpected error", exc_info=error)
    # A page needs links, and Flask cannot build links with a refused host name.
    if is_api_request() or isinstance(error, (BadHost, SecurityError)):
        return problem_for(error)
    if isinstance(error, HTTPException):
        if error.code is None or error.code < 400:
            return error.get_response()  # type: ignore[return-value]
        return _render_error(error.code, error.description or "")
    if isinstance(error, BrokerUnavailableError):
        return _render_error(503, error.sentence)
    if isinstance(error, NoSuchReportError):
        return _render_error(404, str(error))
    return _render_error(500, UNEXPECTED)


def is_api_request() -> bool:
    """Whether the client is a program: by the endpoint, else by the path and the Accept header."""
    if request.endpoint and ".api." in f".{request.endpoint}":
        return True
    return "/api/" in f"{request.path}/" or not request.accept_mimetypes.accept_html


def _render_error(status: int, detail: str) -> tuple[str, int]:
    return render_template("reports/error.html", status=status, detail=detail), status
