"""The product's own Flask application."""

from __future__ import annotations

import logging.config
import os

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from reports_app.middleware.hosts import refuse_other_hosts, refuse_other_machines
from reports_app.middleware.security_headers import add_security_headers
from reports_app.server.flask_app import ReportsFlask
from reports_app.server.secret_key import keep_secret_key, state_folder
from reports_app.services.container import make_services
from reports_worker.lib.logfmt import CONSOLE

from .blueprint import create_blueprint, find_folder
from .rq_dashboard import add_queue_dashboard
from .settings import AppSettings


def create_app(settings: AppSettings | None = None) -> Flask:
    """Create the application: the blueprint at `/`, rq-dashboard at `/rq`.

    `settings` are read from the environment by default. Raises SettingsError if one is invalid.
    """
    settings = settings or AppSettings.from_environ(os.environ)
    logging.config.dictConfig(CONSOLE)
    services = make_services(settings.shared, is_open=settings.is_open)
    app = ReportsFlask(__name__, static_folder=find_folder("static"), template_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key or keep_secret_key(state_folder(os.environ)),
        SESSION_COOKIE_NAME="reports_session",
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )
    if not settings.is_open:
        app.before_request(refuse_other_machines)
    app.before_request(refuse_other_hosts(settings.host_names, allow_addresses=settings.is_open))
    app.after_request(add_security_headers)
    app.register_blueprint(create_blueprint(services=services))
    add_queue_dashboard(app, services.queue, is_served=not (settings.is_open or settings.proxies))
    if count := settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, count, count, count, 0, count)  # type: ignore[method-assign]
    return app
