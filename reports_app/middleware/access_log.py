"""One line for each request, for people and for whatever reads the console."""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

from flask import Response, g, request

from reports_worker.lib.logfmt import logfmt

log = logging.getLogger(__name__)

# Asked every few seconds by probes, by open pages and by who waits for a report: written only when something
# is wrong with them.
_QUIET_ENDPOINTS = ("health", "alive", "static", "api.report")


def note_begin() -> None:
    g.reports_begin = time.perf_counter()


def log_request(answer: Response) -> Response:
    """Write method, path, status, milliseconds and the report's id."""
    if answer.status_code >= 400 or not _is_quiet():
        task_id = (request.view_args or {}).get("task_id") or answer.headers.get("Location", "")[-36:]
        begin = g.get("reports_begin")  # missing where the application that hosts us answered before us
        log.info(
            logfmt(
                event="request",
                method=request.method,
                path=quote(request.path),
                status=answer.status_code,
                ms=f"{1000 * (time.perf_counter() - begin):.1f}" if begin else None,
                task_id=quote(task_id) or None,
            )
        )
    return answer


def _is_quiet() -> bool:
    if request.method != "GET":
        return False
    return (request.endpoint or "").endswith(_QUIET_ENDPOINTS) or "partial" in request.args
