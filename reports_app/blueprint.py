"""The one blueprint: served alone by `create_app`, or mounted in another Flask application."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import (
    BadHost,
    HTTPException,
    RequestEntityTooLarge,
    SecurityError,
    default_exceptions,
)

from reports_worker import BrokerUnavailableError, NoSuchReportError, ReportsError, Settings
from reports_worker.clock import now
from reports_worker.settings import format_size

from .ages import describe_age
from .api import api
from .origins import refuse_strange_origins
from .pages import pages
from .problems import UNEXPECTED, problem_for
from .request_log import log_request, note_begin
from .security import add_security_headers
from .services import Services, add_services, get_services, make_services
from .unknown_paths import answer_unknown_paths

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024


def find_folder(name: str) -> Path:
    """Find `templates` or `static`: in the package of a wheel, beside the package in a checkout."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def create_blueprint(settings: Settings | None = None, *, services: Services | None = None) -> Blueprint:
    """Make the blueprint with the API, the pages and their static files.

    `settings` are read from the environment if not given; `services` are for those who bring their own queue.
    """
    made = services or make_services(settings or Settings.from_environ(os.environ))
    blueprint = Blueprint(
        "reports",
        __name__,
        template_folder=find_folder("templates"),
        static_folder=find_folder("static"),
        static_url_path="/static",
    )
    blueprint.register_blueprint(api)
    blueprint.register_blueprint(pages)
    blueprint.record(lambda state: add_services(state.app, made))
    blueprint.record(answer_unknown_paths)
    blueprint.before_request(note_begin)
    blueprint.before_request(refuse_strange_origins)
    blueprint.before_request(_limit_body)
    blueprint.after_request(add_security_headers)
    blueprint.after_request(log_request)
    # One for each status too: those of an application that hosts us would come before one for all.
    for code in default_exceptions:
        blueprint.register_error_handler(code, answer_error)
    blueprint.register_error_handler(Exception, answer_error)
    blueprint.add_app_template_filter(_describe_age, "reports_age")
    blueprint.add_app_template_filter(format_size, "reports_size")
    blueprint.add_app_template_global(lambda: get_services().is_open, "reports_is_open")
    return blueprint


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


def _limit_body() -> None:
    """Refuse a body that is too long; Werkzeug cuts off one of unknown length without a word."""
    if request.method in ("GET", "HEAD"):
        # Nothing reads it.
        return
    if request.content_length is not None:
        request.max_content_length = MOST_BYTES
        return
    request.max_content_length = MOST_BYTES + 1
    if len(request.get_data()) > MOST_BYTES:
        raise RequestEntityTooLarge


def _describe_age(time: datetime) -> Any:
    return describe_age(time, now=now())
