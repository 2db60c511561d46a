"""The product's blueprint: served by `create_app`, or mounted in another Flask application."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Blueprint
from werkzeug.exceptions import default_exceptions

from reports_app.api import api
from reports_app.middleware.access_log import log_request, note_start
from reports_app.middleware.body_limit import limit_body
from reports_app.middleware.error_handlers import handle_error
from reports_app.middleware.origins import refuse_other_origins
from reports_app.middleware.security_headers import add_security_headers
from reports_app.middleware.unknown_paths import handle_unknown_paths
from reports_app.pages.ages import describe_age
from reports_app.pages.views import pages
from reports_app.services.container import Services, add_services, get_services, make_services
from reports_worker import Settings
from reports_worker.content.rows import write_heading
from reports_worker.lib.clock import now
from reports_worker.lib.units import format_size


def find_folder(name: str) -> Path:
    """Find `templates` or `static`: inside the package in a wheel, beside the package in a checkout."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def create_blueprint(settings: Settings | None = None, *, services: Services | None = None) -> Blueprint:
    """Create the blueprint with the API, the pages and their static files.

    `settings` are read from the environment by default. `services` replace those that the settings describe.
    """
    used = services or make_services(settings or Settings.from_environ(os.environ))
    blueprint = Blueprint(
        "reports",
        __name__,
        template_folder=find_folder("templates"),
        static_folder=find_folder("static"),
        static_url_path="/static",
    )
    blueprint.register_blueprint(api)
    blueprint.register_blueprint(pages)
    blueprint.record(lambda state: add_services(state.app, used))
    blueprint.record(handle_unknown_paths)
    blueprint.before_request(note_start)
    blueprint.before_request(refuse_other_origins)
    blueprint.before_request(limit_body)
    blueprint.after_request(add_security_headers)
    blueprint.after_request(log_request)
    # One handler for each status: else the handlers of the host application would come first.
    for code in default_exceptions:
        blueprint.register_error_handler(code, handle_error)
    blueprint.register_error_handler(Exception, handle_error)
    blueprint.add_app_template_filter(_describe_age, "reports_age")
    blueprint.add_app_template_filter(format_size, "reports_size")
    blueprint.add_app_template_filter(_head_column, "reports_heading")
    blueprint.add_app_template_filter(_title_type, "reports_type_title")
    blueprint.add_app_template_global(lambda: get_services().is_open, "reports_is_open")
    return blueprint


def _describe_age(time: datetime) -> Any:
    return describe_age(time, now=now())


def _title_type(name: str) -> str:
    """Return the title of a report type; its name if there is no such type any more."""
    found = get_services().catalog.get(name)
    return found.title if found else name


def _head_column(column: Mapping[str, str]) -> str:
    return write_heading(column["title"], column["unit"])
