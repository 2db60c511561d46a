"""The web application with a broker in memory."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from reports_app import AppSettings, create_app, create_blueprint
from reports_app.services.container import Services, add_services
from reports_worker import TYPES, ReportQueue
from tests.unit.reports_app.report_factory import ReportFactory

SECRET = "a secret for tests alone"


@pytest.fixture
def memory_server() -> fakeredis.FakeServer:
    """A broker in memory; `connected = False` makes it unreachable."""
    return fakeredis.FakeServer()


@pytest.fixture
def memory(memory_server: fakeredis.FakeServer) -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis(server=memory_server)


@pytest.fixture
def queue(memory: fakeredis.FakeRedis) -> ReportQueue:
    return ReportQueue(memory, timeout=timedelta(hours=1))


@pytest.fixture
def services(queue: ReportQueue) -> Services:
    return Services(queue, TYPES)


@pytest.fixture
def factory(memory: fakeredis.FakeRedis, queue: ReportQueue) -> ReportFactory:
    return ReportFactory(memory, queue)


@pytest.fixture
def app(services: Services) -> Flask:
    """An application that a single test may change."""
    return make_app(services)


def make_app(services: Services) -> Flask:
    """A small host application with the blueprint at its root."""
    app = Flask("host_application", template_folder=None, static_folder=None)
    app.config.update(SECRET_KEY=SECRET)
    app.jinja_env.undefined = StrictUndefined
    app.register_blueprint(create_blueprint(services=services))
    return app


@pytest.fixture(scope="session")
def shared_app() -> Flask:
    """One application for the tests that change nothing of it: to make one takes longer than a request."""
    return make_app(Services(ReportQueue(fakeredis.FakeRedis(), timeout=timedelta(hours=1)), TYPES))


@pytest.fixture
def client(request: pytest.FixtureRequest, services: Services) -> FlaskClient:
    """A client of the test's own application where it has one, else of the shared one, over its own broker."""
    if "app" in request.fixturenames:
        own: Flask = request.getfixturevalue("app")
        return own.test_client()
    shared: Flask = request.getfixturevalue("shared_app")
    add_services(shared, services)
    return shared.test_client()


def make_product(**settings: Any) -> Flask:
    """The product's own application."""
    app = create_app(AppSettings(secret_key=SECRET, **settings))
    app.jinja_env.undefined = StrictUndefined
    return app


# One for the tests that change nothing of it but its services.
share_product = cache(make_product)


@pytest.fixture
def product(services: Services) -> Flask:
    """The product's own application, over the broker in memory; a single test may change it."""
    app = make_product()
    add_services(app, services)
    return app


@pytest.fixture
def product_client(request: pytest.FixtureRequest, services: Services) -> FlaskClient:
    """A client of the test's own product where it has one, else of the shared one, over its own broker."""
    if "product" in request.fixturenames:
        own: Flask = request.getfixturevalue("product")
        return own.test_client()
    shared = share_product()
    add_services(shared, services)
    return shared.test_client()
