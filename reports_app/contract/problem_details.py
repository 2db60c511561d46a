"""Error responses of the API: problem details (RFC 9457, application/problem+json)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from reports_app.errors import TooManyDownloadsError
from reports_worker import (
    BrokerUnavailableError,
    FieldError,
    IdempotencyConflictError,
    InvalidSubmissionError,
    NoSuchReportError,
    WrongStateError,
)
from reports_worker.artifacts import ArtifactGoneError, StorageError

from .json_bodies import json_response

RETRY_AFTER_SECONDS = 2
UNEXPECTED = "An unexpected error occurred and was logged. Try again, or contact your administrator."

_ANSWERS: Mapping[type[Exception], tuple[int, Callable[[Any], str]]] = {
    NoSuchReportError: (
        404,
        lambda error: f"{error} The report may have been removed after its retention time.",
    ),
    WrongStateError: (409, str),
    IdempotencyConflictError: (409, str),
    ArtifactGoneError: (410, str),
    BrokerUnavailableError: (503, lambda error: error.sentence),
    StorageError: (503, str),
    TooManyDownloadsError: (503, str),
}


def problem(status: int, detail: str, *, errors: Iterable[FieldError] = ()) -> Response:
    """Return problem details, with the invalid fields if there are any."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    fields = [{"field": error.field, "message": error.message} for error in errors]
    if fields:
        body["errors"] = fields
    return json_response(body, status, mimetype="application/problem+json")


def problem_for(error: Exception) -> Response:
    """Translate an exception of a view into problem details."""
    if isinstance(error, InvalidSubmissionError):
        return problem(400, str(error), errors=error.errors)
    for kind, (status, describe) in _ANSWERS.items():
        if isinstance(error, kind):
            response = problem(status, describe(error))
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return response
    if isinstance(error, HTTPException) and error.code is not None and error.code >= 400:
        response = problem(error.code, error.description or "")
        response.headers.extend(
            (name, value)
            for name, value in error.get_headers()
            if name not in ("Content-Type", "Content-Length")
        )
        return response
    return problem(500, UNEXPECTED)
