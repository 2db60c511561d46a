"""rq-dashboard at `/rq`: read-only inspection of the queue, from this machine only.

The dashboard is not served if the API is open or has proxies: behind a proxy that sends no headers of its own,
every request seems to come from this machine.

rq-dashboard would change jobs without the product's records, has no login, and renders job data as markup.
Therefore every change is refused, the dashboard uses the product's Redis client, and user input is escaped.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import rq_dashboard
import rq_dashboard.web
from flask import Flask, Response, json, request, url_for
from markupsafe import escape
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.serializers import JSONSerializer
from werkzeug.exceptions import Forbidden, HTTPException, MethodNotAllowed, NotFound, ServiceUnavailable

from reports_app.middleware.error_handlers import handle_error
from reports_app.middleware.security_headers import QUEUE_DASHBOARD_POLICY, add_security_headers
from reports_app.services.container import get_services
from reports_worker import Report, ReportQueue, ReportsError
from reports_worker.broker.errors import to_unavailable
from reports_worker.queue.json_serializer import use_json_only

from .exposure import is_loopback, without_port

log = logging.getLogger(__name__)

PREFIX = "/rq"
_NAME = rq_dashboard.blueprint.name
_JOB_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)  # RQ raises ValueError for any other
# The arguments of its lists, in which rq-dashboard does not expect other values.
_ARGUMENTS = {
    "registry_name": re.compile("queued|started|finished|failed|deferred|scheduled|canceled"),
    "order": re.compile("asc|dsc"),
    "per_page": re.compile("[1-9][0-9]{0,3}"),
    # rq-dashboard calls the last page of an empty list 0.
    "page": re.compile("[0-9]{1,9}"),
}
_UNREADABLE = (
    "The queue contains an entry that RQ cannot read. Workers remove invalid entries within a minute: "
    "try again then."
)
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


def add_queue_dashboard(app: Flask, queue: ReportQueue, *, is_served: bool) -> None:
    """Serve rq-dashboard with the product's Redis connection, and restrict the access to it.

    Also registers the application's error handlers, since a blueprint that is shared by applications takes none.
    """
    use_json_only()
    rq_dashboard.web.config.serializer = JSONSerializer
    # rq-dashboard would create a connection pool for each request, and supports fewer forms of URL.
    rq_dashboard.web.from_url = lambda *_, **__: (None, get_services().queue.connection)
    app.config.update(RQ_DASHBOARD_REDIS_URL=("the broker",), RQ_DASHBOARD_DISABLE_DELETE=True)
    app.redis_conn = queue.connection  # type: ignore[attr-defined]  # where rq-dashboard looks for it
    app.register_blueprint(rq_dashboard.blueprint, url_prefix=PREFIX)
    if not is_served:
        app.before_request(_refuse)
    app.before_request(_check_request)
    app.after_request(_repair_response)
    app.register_error_handler(NoSuchJobError, _handle_unknown_job)
    app.register_error_handler(RedisError, _handle_broker_error)
    app.register_error_handler(Exception, _handle_error)


def _refuse() -> None:
    if request.blueprint == _NAME:
        raise Forbidden(
            "The dashboard of the queue is available on loopback without a proxy only, and REPORTS_OPEN or "
            "REPORTS_PROXIES is set."
        )


def _check_request() -> None:
    if request.blueprint != _NAME:
        return
    if not _is_from_this_machine():
        raise Forbidden("The dashboard of the queue is available on this machine only, without a proxy.")
    if request.method not in ("GET", "HEAD") or request.endpoint == f"{_NAME}.requeue_all":
        raise MethodNotAllowed(["GET", "HEAD"], "The dashboard of the queue is read-only.")
    arguments = request.view_args or {}
    if arguments.get("instance_number"):
        raise NotFound("There is one broker.")
    if not _JOB_ID.fullmatch(arguments.get("job_id", "none")):
        raise NotFound("There is no such job.")
    for name, pattern in _ARGUMENTS.items():
        if name in arguments and not pattern.fullmatch(str(arguments[name])):
            raise NotFound(f"There is no such list: {name.replace('_name', '')} has an unknown value.")


def _is_from_this_machine() -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    return is_loopback(without_port(request.host)) and is_loopback(request.remote_addr or "")


def _repair_response(response: Response) -> Response:
    if request.blueprint != _NAME:
        return response
    if response.mimetype == "text/html" and not response.direct_passthrough:
        link = f'<link rel="stylesheet" href="{url_for("static", filename="css/queue-dashboard.css")}">'
        response.set_data(response.get_data(as_text=True).replace("</head>", f"{link}</head>", 1))
    elif response.status_code == 200 and request.endpoint == f"{_NAME}.list_jobs":
        response.set_data(json.dumps(_add_reports(response.get_json())))
    elif response.status_code == 200 and request.endpoint == f"{_NAME}.job_info":
        response.set_data(
            json.dumps(_escape(_add_report(response.get_json(), _find(response.get_json()["id"]))))
        )
    return add_security_headers(response, QUEUE_DASHBOARD_POLICY)


def _add_reports(body: dict[str, Any]) -> dict[str, Any]:
    """Add title and error of each report to the rows of a list, whose template escapes them."""
    return body | {"jobs": [_add_report(job, _find(job["id"])) for job in body["jobs"]]}


def _add_report(job: dict[str, Any], report: Report | None) -> dict[str, Any]:
    if report is None:
        return job
    job |= {"description": f"{report.type}: {report.title}", "exc_info": report.error}
    return job | ({"result": report.result} if "result" in job else {})


def _find(task_id: str) -> Report | None:
    return get_services().queue.find(task_id)


def _escape(value: Any) -> Any:
    """Escape every text in `value` for the page of one job, whose template does not escape."""
    if isinstance(value, str):
        return str(escape(value))
    if isinstance(value, Mapping):
        return {_escape(name): _escape(part) for name, part in value.items()}
    return [_escape(part) for part in value] if isinstance(value, list) else value


def _handle_unknown_job(error: Exception) -> Any:
    return handle_error(NotFound(f"There is no such job: {error}"))


def _handle_error(error: Exception) -> Any:
    """Handle what no other handler of the application does: in rq-dashboard, the error of an entry that RQ cannot read.

    RQ does not check what it reads: it raises ValueError, AssertionError, RecursionError and others.
    """
    if request.blueprint != _NAME or isinstance(error, (HTTPException, ReportsError)):
        return handle_error(error)
    log.warning("rq-dashboard cannot show %s: %s: %s", request.path, type(error).__name__, str(error)[:200])
    return handle_error(ServiceUnavailable(_UNREADABLE))


def _handle_broker_error(error: RedisError) -> Any:
    return handle_error(to_unavailable(error))
