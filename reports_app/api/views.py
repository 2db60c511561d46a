"""The views of the JSON API."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound

from reports_app.contract.json_bodies import json_response, read_json
from reports_app.contract.messages import CANCELLED, CANCELLING, EARLIER, STARTED
from reports_app.contract.methods import METHODS
from reports_app.contract.openapi.document import describe_api
from reports_app.contract.query_args import DEFAULT_LISTED, FILTERS, read_paging, read_selection, read_wait
from reports_app.exposure import OPEN_WARNING
from reports_app.services.container import get_services
from reports_worker import BrokerUnavailableError, IdempotencyKey, NoSuchReportError, Status, parse_submission
from reports_worker.domain.serialization import serialize, serialize_pause, serialize_type

from .routing import resource

SERVICE = "report-api"
# Retry-After of a refused long poll: the duration of the shortest reports.
WAIT_RETRY_SECONDS = 5


def submit_report() -> Response:
    """Accept a request for a report. Repetitions with the same Idempotency-Key create no further report.

    With a `max_age`, the response can name an earlier report, with its current status.
    """
    services = get_services()
    submission = parse_submission(
        read_json(),
        types=services.catalog,
        calendar=services.calendar(),
        callback_hosts=services.callback_hosts,
    )
    header = request.headers.get("Idempotency-Key")
    key = IdempotencyKey.of(header, submission) if header is not None else None
    accepted = services.queue.accept(submission, idempotency_key=key)
    # A report stands below this address; `url_for` would take 3 % of the time of a request.
    location = f"{request.root_path}{request.path}/{accepted.task_id}"
    message = EARLIER if accepted.is_earlier else STARTED
    return _accepted_response(accepted.task_id, accepted.status, message, location)


def show_report(task_id: str) -> Response:
    """Return one report; with `wait`, after its end, after the given time, or when this process shuts down."""
    services = get_services()
    seconds = read_wait()
    report, has_waited = services.completions.find_ended(task_id, seconds=seconds)
    if report is None:
        raise NoSuchReportError(f"There is no report {task_id[:100]!r}.")
    response = json_response(serialize(report))
    if not has_waited and not report.status.is_terminal:
        response.headers["Retry-After"] = str(WAIT_RETRY_SECONDS)
    return response


def show_artifact(task_id: str, name: str) -> Response:
    """Return a file of a report."""
    services = get_services()
    report = services.queue.find(task_id)
    if report is None:
        raise NoSuchReportError(f"There is no report {task_id[:100]!r}.")
    return services.downloads.respond(report, name)


def cancel_report(task_id: str) -> Response:
    """Cancel a report that waits or runs."""
    status = get_services().queue.cancel(task_id)
    return _accepted_response(task_id, status, CANCELLED if status.is_terminal else CANCELLING)


def retry_report(task_id: str) -> Response:
    """Run a failed report again."""
    get_services().queue.retry(task_id)
    return _accepted_response(task_id, Status.PENDING, STARTED)


def delete_report(task_id: str) -> Response:
    """Delete a report in any status."""
    get_services().queue.delete(task_id)
    return Response(status=204)


def list_reports() -> Response:
    """List reports, newest first; the Link header has the address of the next page."""
    queue = get_services().queue
    limit, cursor = read_paging(default_limit=DEFAULT_LISTED)
    page = queue.list(limit=limit, cursor=cursor, selection=read_selection())
    response = json_response([serialize(report) for report in page.reports])
    if page.total is not None:
        response.headers["X-Total-Count"] = str(page.total)
    if page.next_cursor:
        values: dict[str, Any] = {name: request.args[name] for name in FILTERS if name in request.args}
        url = url_for(".reports", limit=limit, cursor=page.next_cursor, **values)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response


def list_report_types() -> Response:
    """List the report types."""
    return json_response([serialize_type(one) for one in get_services().catalog.values()])


def _accepted_response(task_id: str, status: Status, message: str, location: str | None = None) -> Response:
    response = json_response({"task_id": task_id, "status": status, "message": message}, 202)
    response.headers["Location"] = location or url_for(".report", task_id=task_id)
    return response


def show_health() -> Response:
    """Readiness: whether the broker answers, with warnings about the risk of lost reports and with a pause."""
    services = get_services()
    try:
        condition = services.queue.check()
    except BrokerUnavailableError as error:
        return json_response({"status": "unhealthy", "service": SERVICE, "reason": error.sentence}, 503)
    body: dict[str, Any] = {"status": "healthy", "service": SERVICE}
    if warnings := [*condition.warnings, *([OPEN_WARNING] if services.is_open else [])]:
        body["warnings"] = warnings
    if condition.pause:
        body["paused"] = serialize_pause(condition.pause)
    return json_response(body)


def show_alive() -> Response:
    """Liveness: this process responds, independent of the broker."""
    return json_response({"status": "alive", "service": SERVICE})


def show_openapi() -> Response:
    """Return the OpenAPI document."""
    root = url_for(".reports").removesuffix("/api/reports")
    services = get_services()
    has_callbacks = bool(services.callback_hosts)
    return json_response(describe_api(services.catalog, root=root, has_callbacks=has_callbacks))


def refuse_unknown(rest: str = "") -> Response:
    raise NotFound(f"This API has no resource {rest[:100]!r}. /docs lists all resources.")


resource("/api/reports", "reports", GET=list_reports, POST=submit_report)
resource("/api/reports/<task_id>", "report", GET=show_report, DELETE=delete_report)
resource("/api/reports/<task_id>/artifacts/<name>", "artifact", GET=show_artifact)
resource("/api/reports/<task_id>/cancel", "cancel", POST=cancel_report)
resource("/api/reports/<task_id>/retry", "retry", POST=retry_report)
resource("/api/report-types", "report_types", GET=list_report_types)
resource("/openapi.json", "openapi", GET=show_openapi)
resource("/health", "health", GET=show_health)
resource("/alive", "alive", GET=show_alive)
for _number, _rule in enumerate(("/api", "/api/", "/api/<path:rest>")):
    resource(_rule, f"unknown{_number}", **dict.fromkeys(METHODS, refuse_unknown))
