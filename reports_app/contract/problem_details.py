"""Errors for programs: RFC 9457, application/problem+json."""

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

from .json_bodies import answer_json

RETRY_AFTER_SECONDS = 2
UNEXPECTED = "Something went wrong here. It has been noted; try again, or tell who runs this."


_ANSWERS: Mapping[type[Exception], tuple[int, Callable[[Any], str]]] = {
    NoSuchReportError: (404, lambda error: f"{error} It may have been removed after its time."),
    WrongStateError: (409, str),
    IdempotencyConflictError: (409, str),
    ArtifactGoneError: (410, str),
    BrokerUnavailableError: (503, lambda error: error.sentence),
    StorageError: (503, str),
    TooManyDownloadsError: (503, str),
}


def problem(status: int, detail: str, *, errors: Iterable[FieldError] = ()) -> Response:
    """Answer with what went wrong, and with the fields at fault where there are any."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    fields = [{"field": error.field, "message": error.message} for error in errors]
    if fields:
        body["errors"] = fields
    return answer_json(body, status, mimetype="application/problem+json")


def problem_for(error: Exception) -> Response:
    """Translate whatever a view raised."""
    if isinstance(error, InvalidSubmissionError):
        return problem(400, str(error), errors=error.errors)
    for kind, (status, describe) in _ANSWERS.items():
        if isinstance(error, kind):
            answer = problem(status, describe(error))
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return answer
    if isinstance(error, HTTPException) and error.code is not None and error.code >= 400:
        answer = problem(error.code, error.description or "")
        answer.headers.extend(
            (name, value)
            for name, value in error.get_headers()
            if name not in ("Content-Type", "Content-Length")
        )
        return answer
    return problem(500, UNEXPECTED)
