"""rq-dashboard at `/rq`: to look at the queue, never to change it, and from this machine only.

A proxy that says nothing of itself makes every request one of this machine, so there is none where the API is
open or has proxies.

Its buttons would go around our records, it has no login, and it prints what it reads as markup.
So every change is refused, it shares our client, and what users wrote reaches it escaped.
"""

from __future__ import annotations

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
from werkzeug.exceptions import Forbidden, MethodNotAllowed, NotFound, ServiceUnavailable

from reports_app.middleware.error_handlers import answer_error
from reports_app.middleware.security_headers import QUEUE_DASHBOARD_POLICY, add_security_headers
from reports_app.services.container import get_services
from reports_worker import Report, ReportQueue
from reports_worker.broker.errors import to_unavailable
from reports_worker.queue.json_serializer import use_json_only

from .exposure import is_loopback, without_port

PREFIX = "/rq"
_NAME = rq_dashboard.blueprint.name
_JOB_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)  # RQ raises ValueError for any other
_UNREADABLE = (
    "The queue holds an entry that RQ cannot read; workers take out what names no report within a minute."
)
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


def add_queue_dashboard(app: Flask, queue: ReportQueue, *, is_served: bool) -> None:
    """Serve rq-dashboard over our own connection, and guard it."""
    use_json_only()
    rq_dashboard.web.config.serializer = JSONSerializer
    # It would make a new connection pool for each request, and knows fewer forms of URL than we do.
    rq_dashboard.web.from_url = lambda *_, **__: (None, get_services().queue.connection)
    app.config.update(RQ_DASHBOARD_REDIS_URL=("the broker",), RQ_DASHBOARD_DISABLE_DELETE=True)
    app.redis_conn = queue.connection  # type: ignore[attr-defined]  # where rq-dashboard looks for it
    app.register_blueprint(rq_dashboard.blueprint, url_prefix=PREFIX)
    if not is_served:
        app.before_request(_refuse)
    app.before_request(_guard)
    app.after_request(_mend_answer)
    app.register_error_handler(NoSuchJobError, _answer_unknown_job)
    app.register_error_handler(RedisError, _answer_broker_away)
    app.register_error_handler(ValueError, _answer_unreadable)


def _refuse() -> None:
    if request.blueprint == _NAME:
        raise Forbidden(
            "The queue's dashboard answers on loopback without a proxy only, and here REPORTS_OPEN or "
            "REPORTS_PROXIES is set."
        )


def _guard() -> None:
    if request.blueprint != _NAME:
        return
    if not _is_from_this_machine():
        raise Forbidden("The queue's dashboard answers on this machine only, and not through a proxy.")
    if request.method not in ("GET", "HEAD") or request.endpoint == f"{_NAME}.requeue_all":
        raise MethodNotAllowed(["GET", "HEAD"], "The queue's dashboard only shows; it changes nothing.")
    arguments = request.view_args or {}
    if arguments.get("instance_number"):
        raise NotFound("There is one broker.")
    if not _JOB_ID.fullmatch(arguments.get("job_id", "none")):
        raise NotFound("There is no such job.")


def _is_from_this_machine() -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    return is_loopback(without_port(request.host)) and is_loopback(request.remote_addr or "")


def _mend_answer(answer: Response) -> Response:
    if request.blueprint != _NAME:
        return answer
    if answer.mimetype == "text/html" and not answer.direct_passthrough:
        link = f'<link rel="stylesheet" href="{url_for("static", filename="css/queue-dashboard.css")}">'
        answer.set_data(answer.get_data(as_text=True).replace("</head>", f"{link}</head>", 1))
    elif answer.status_code == 200 and request.endpoint == f"{_NAME}.list_jobs":
        answer.set_data(json.dumps(_tell_of_reports(answer.get_json())))
    elif answer.status_code == 200 and request.endpoint == f"{_NAME}.job_info":
        answer.set_data(
            json.dumps(_escape(_tell_of_report(answer.get_json(), _find(answer.get_json()["id"]))))
        )
    return add_security_headers(answer, QUEUE_DASHBOARD_POLICY)


def _tell_of_reports(body: dict[str, Any]) -> dict[str, Any]:
    """Put title and error into the rows of a list, whose template escapes them itself."""
    return body | {"jobs": [_tell_of_report(job, _find(job["id"])) for job in body["jobs"]]}


def _tell_of_report(job: dict[str, Any], report: Report | None) -> dict[str, Any]:
    if report is None:
        return job
    job |= {"description": f"{report.type}: {report.title}", "exc_info": report.error}
    return job | ({"result": report.result} if "result" in job else {})


def _find(task_id: str) -> Report | None:
    return get_services().queue.find(task_id)


def _escape(value: Any) -> Any:
    """Escape every text within, for the page of one job, which prints them as they are."""
    if isinstance(value, str):
        return str(escape(value))
    if isinstance(value, Mapping):
        return {_escape(name): _escape(part) for name, part in value.items()}
    return [_escape(part) for part in value] if isinstance(value, list) else value


def _answer_unknown_job(error: Exception) -> Any:
    return answer_error(NotFound(f"There is no such job: {error}"))


def _answer_unreadable(error: ValueError) -> Any:
    """Say that RQ fails over an entry, which it shows by raising ValueError or UnicodeDecodeError."""
    return answer_error(ServiceUnavailable(_UNREADABLE) if request.blueprint == _NAME else error)


def _answer_broker_away(error: RedisError) -> Any:
    return answer_error(to_unavailable(error))
