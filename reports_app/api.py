"""The JSON contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import MethodNotAllowed, NotFound

from reports_worker import (
    MOST_LISTED,
    BrokerUnavailableError,
    FieldError,
    InvalidSubmissionError,
    Status,
    is_task_id,
    parse_submission,
)

from .json_bodies import answer_json, read_json
from .problems import BROKER_AWAY
from .representation import represent
from .services import get_services

View = Callable[..., Any]

SERVICE = "report-api"
STARTED = "Report generation started"
DEFAULT_LISTED = 100
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

api = Blueprint("api", __name__)


def resource(rule: str, name: str, **views: View) -> None:
    """Serve `rule` with one view for each method, and answer every other method ourselves.

    Flask would answer 404 and 405 outside of the blueprint, in the words of the application it is part of.
    """
    allowed = sorted({*views, "OPTIONS"} | ({"HEAD"} if "GET" in views else set()))

    def dispatch(**arguments: str) -> Any:
        view = views.get("GET" if request.method == "HEAD" else request.method)
        if view is not None:
            return view(**arguments)
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": ", ".join(allowed)})
        raise MethodNotAllowed(allowed, f"{request.method} is not allowed here; {', '.join(allowed)} are.")

    api.add_url_rule(rule, name, dispatch, methods=_METHODS, provide_automatic_options=False)


def submit_report() -> Response:
    """Accept a report and answer at once."""
    services = get_services()
    submission = parse_submission(read_json(), types=services.catalog)
    task_id = services.queue.submit(submission)
    answer = answer_json({"task_id": task_id, "status": Status.PENDING, "message": STARTED}, 202)
    answer.headers["Location"] = url_for(".report", task_id=task_id)
    return answer


def show_report(task_id: str) -> Response:
    """Say how one report stands."""
    report = get_services().queue.find(task_id)
    if report is None:
        raise NotFound(f"There is no report {task_id[:100]!r}. It may have been removed after its time.")
    return answer_json(represent(report))


def list_reports() -> Response:
    """List reports, newest first; the header Link leads to the next page."""
    limit, cursor = read_paging(default_limit=DEFAULT_LISTED)
    page = get_services().queue.list(limit=limit, cursor=cursor)
    answer = answer_json([represent(report) for report in page.reports])
    answer.headers["X-Total-Count"] = str(page.total)
    if page.next_cursor:
        url = url_for(".reports", limit=limit, cursor=page.next_cursor)
        answer.headers["Link"] = f'<{url}>; rel="next"'
    return answer


def read_paging(*, default_limit: int) -> tuple[int, str | None]:
    """Read `limit` and `cursor` from the query; raise InvalidSubmissionError where they make no sense."""
    limit, cursor = request.args.get("limit", str(default_limit)), request.args.get("cursor")
    errors = []
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 9 and 1 <= int(limit) <= MOST_LISTED):
        errors.append(FieldError("limit", f"The limit must be a whole number from 1 to {MOST_LISTED}."))
    if cursor is not None and not is_task_id(cursor):
        errors.append(FieldError("cursor", "The cursor must be the task id that a Link header gave."))
    if errors:
        raise InvalidSubmissionError(*errors)
    return int(limit), cursor


def show_health() -> Response:
    """Ready: the broker answers."""
    try:
        get_services().queue.ping()
    except BrokerUnavailableError:
        return answer_json({"status": "unhealthy", "service": SERVICE, "reason": BROKER_AWAY}, 503)
    return answer_json({"status": "healthy", "service": SERVICE})


def show_alive() -> Response:
    """Up: this process answers, whatever the broker does."""
    return answer_json({"status": "alive", "service": SERVICE})


def refuse_unknown(rest: str = "") -> Response:
    raise NotFound(f"There is nothing at {rest[:100]!r} in this API.")


resource("/api/reports", "reports", GET=list_reports, POST=submit_report)
resource("/api/reports/<task_id>", "report", GET=show_report)
resource("/health", "health", GET=show_health)
resource("/alive", "alive", GET=show_alive)
for _number, _rule in enumerate(("/api", "/api/", "/api/<path:rest>")):
    resource(_rule, f"unknown{_number}", **dict.fromkeys(_METHODS, refuse_unknown))
