"""The access log: one line of logfmt for each request."""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

from flask import Request, Response
from flask.globals import request_ctx

from reports_worker.lib.logfmt import logfmt

log = logging.getLogger(__name__)

# The name in the WSGI environment of when a request started, in seconds of `time.perf_counter`.
_STARTED_AT = "reports.started_at"

# Probes, open pages and clients that poll a report request these every few seconds: only errors are logged.
_QUIET_ENDPOINTS = ("health", "alive", "static", "api.report")


def note_start() -> None:
    request_ctx.request.environ[_STARTED_AT] = time.perf_counter()


def log_request(response: Response) -> Response:
    """Write method, path, status, milliseconds and the report's id."""
    request = request_ctx.request
    if response.status_code >= 400 or not _is_quiet(request):
        task_id = (request.view_args or {}).get("task_id") or response.headers.get("Location", "")[-36:]
        # Missing if the host application has refused the request.
        started_at = request.environ.get(_STARTED_AT)
        log.info(
            logfmt(
                event="request",
                method=request.method,
                path=quote(request.path),
                status=response.status_code,
                ms=f"{1000 * (time.perf_counter() - started_at):.1f}" if started_at else None,
                task_id=quote(task_id) or None,
            )
        )
    return response


def _is_quiet(request: Request) -> bool:
    if request.method != "GET":
        return False
    return (request.endpoint or "").endswith(_QUIET_ENDPOINTS) or "partial" in request.args
