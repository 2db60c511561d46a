"""Errors as answers: problem+json for programs, a page for browsers."""

from __future__ import annotations

import logging

from flask import Response, render_template, request
from werkzeug.exceptions import BadHost, HTTPException, SecurityError

from reports_app.contract.problem_details import UNEXPECTED, problem_for
from reports_worker import BrokerUnavailableError, NoSuchReportError, ReportsError

log = logging.getLogger(__name__)


def answer_error(error: Exception) -> Response | tuple[str, int]:
    """Answer an error in the words of who asked: problem+json to the API, a page to a browser."""
    if not isinstance(error, (HTTPException, ReportsError)):
        log.error("unexpected error", exc_info=error)
    # A page has links, and none can be made to a host that is refused.
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
    """Tell whether a program asks: by the endpoint, else by the path and what it accepts."""
    if request.endpoint and ".api." in f".{request.endpoint}":
        return True
    return "/api/" in f"{request.path}/" or not request.accept_mimetypes.accept_html


def _render_error(status: int, detail: str) -> tuple[str, int]:
    return render_template("reports/error.html", status=status, detail=detail), status
