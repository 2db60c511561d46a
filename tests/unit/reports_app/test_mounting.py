"""The blueprint in a host application, under a prefix, beside files of the same names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from flask import Flask, abort, render_template, request
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from reports_app import create_blueprint
from reports_app.pages.views import PAGE_SIZE
from reports_app.services.container import Services
from tests.unit.reports_app.html_tree import parse_html
from tests.unit.reports_app.report_factory import ReportFactory

PREFIX = "/tools/reports"
HTML = {"Accept": "text/html"}


@pytest.fixture
def host(tmp_path: Path, services: Services) -> Flask:
    """An application with templates, static files and error pages of its own."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text(
        "<h1>the host's base</h1>{% block body %}{% endblock %}"
    )
    (tmp_path / "templates" / "index.html").write_text("{% extends 'base.html' %}")
    (tmp_path / "templates" / "list.html").write_text("the host's list")
    (tmp_path / "static" / "css").mkdir(parents=True)
    (tmp_path / "static" / "css" / "reports.css").write_text("/* the host's */")
    app = Flask("host", root_path=str(tmp_path))
    app.config.update(SECRET_KEY="the host's own secret", MAX_CONTENT_LENGTH=1_000_000)
    app.jinja_env.undefined = StrictUndefined
    app.register_error_handler(404, lambda _: ("the host's 404", 404))
    app.register_error_handler(405, lambda _: ("the host's 405", 405))
    app.register_error_handler(Exception, lambda _: ("the host's failure", 500))
    app.add_url_rule("/", "index", lambda: render_template("index.html"))
    app.add_url_rule("/upload", "upload", lambda: str(len(request.get_data())), methods=["POST"])
    app.add_url_rule("/broken", "broken", lambda: abort(418))
    app.register_blueprint(create_blueprint(services=services), url_prefix=PREFIX)
    return app


@pytest.fixture
def client(host: Flask) -> FlaskClient:
    return host.test_client()


def post_form(client: FlaskClient) -> Any:
    form = parse_html(client.get(f"{PREFIX}/").text).form_to(f"{PREFIX}/reports")
    return client.post(f"{PREFIX}/reports", data=form.hidden_fields() | {"title": "Q4", "type": "sales"})


def test_every_address_on_the_pages_is_below_the_prefix(client: FlaskClient, factory: ReportFactory) -> None:
    for number in range(PAGE_SIZE + 1):
        factory.request(f"number {number}")

    addresses = {
        value
        for element in parse_html(client.get(f"{PREFIX}/").text).walk()
        for name, value in element.attributes.items()
        if name in ("href", "src", "action", "data-live") and not value.startswith("#")
    }

    assert len(addresses) > PAGE_SIZE
    for address in addresses:
        assert address.startswith(f"{PREFIX}/")
        with client.get(address) as response:
            assert response.status_code == 200


def test_the_form_works_below_the_prefix(client: FlaskClient) -> None:
    response = post_form(client)

    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{PREFIX}/#report-")
    page = parse_html(client.get(f"{PREFIX}/").text)
    assert page.get("p", role="status").text == "Report generation started: Q4"
    assert page.get("h3").text == "Q4"


def test_the_api_works_below_the_prefix(client: FlaskClient, factory: ReportFactory) -> None:
    factory.request()
    factory.request()

    submitted = client.post(f"{PREFIX}/api/reports", json={"title": "Q4", "type": "sales"})
    listed = client.get(f"{PREFIX}/api/reports?limit=1")

    assert submitted.headers["Location"].startswith(f"{PREFIX}/api/reports/")
    assert client.get(submitted.headers["Location"]).status_code == 200
    match = re.match(r"<([^>]+)>", listed.headers["Link"])
    assert match
    assert match[1].startswith(f"{PREFIX}/api/reports?")
    assert client.get(match[1]).status_code == 200
    assert client.get(f"{PREFIX}/health").get_json() == {"status": "healthy", "service": "report-api"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/reports/7", 404),
        ("DELETE", "/api/reports", 405),
        ("POST", "/health", 405),
        ("POST", "/api/reports", 415),
        ("GET", "/api/reports?limit=0", 400),
    ],
)
def test_errors_of_the_api_are_handled_by_the_product(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = client.open(PREFIX + path, method=method, headers=HTML)

    assert (response.status_code, response.mimetype) == (status, "application/problem+json")


def test_errors_of_the_pages_are_handled_by_the_product(
    client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    too_large = client.post(f"{PREFIX}/reports", data={"title": "x" * 70_000}, headers=HTML)
    no_file = client.get(f"{PREFIX}/static/nothing.css", headers=HTML)
    memory_server.connected = False
    away = client.get(f"{PREFIX}/", headers=HTML)

    for response, status in ((too_large, 413), (no_file, 404), (away, 503)):
        assert response.status_code == status
        assert parse_html(response.text).links()
        assert "the host's" not in response.get_data(as_text=True)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/nothing", "/nothing/at/all", "/reports/x/y", "/reports/", "/rq/"])
def test_an_unknown_path_below_the_prefix_is_refused_by_the_product(
    client: FlaskClient, method: str, path: str
) -> None:
    page = client.open(PREFIX + path, method=method, headers=HTML)
    problem = client.open(PREFIX + path, method=method, headers={"Accept": "application/json"})

    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert parse_html(page.text).get("h1").text == "Not found"
    assert parse_html(page.text).links()["All reports"] == f"{PREFIX}/"
    assert page.headers["Content-Security-Policy"]
    assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")


def test_another_method_below_the_prefix_is_refused_by_the_product(
    client: FlaskClient, factory: ReportFactory
) -> None:
    path = f"{PREFIX}/reports/{factory.request()}"

    page = client.delete(path, headers=HTML)
    problem = client.delete(path, headers={"Accept": "application/json"})

    assert page.status_code == problem.status_code == 405
    assert parse_html(page.text).get("h1").text == "The request was refused"
    assert problem.get_json()["detail"] == "DELETE is not allowed. Use GET, HEAD, OPTIONS."
    assert problem.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.options(path).status_code == 200


def test_paths_beside_the_prefix_stay_the_hosts(client: FlaskClient) -> None:
    for path in ("/tools", "/tools/", f"{PREFIX}x", f"{PREFIX}x/y"):
        assert client.get(path).text == "the host's 404"


def test_the_host_may_serve_more_below_the_prefix(host: Flask) -> None:
    host.add_url_rule(f"{PREFIX}/more", "more", lambda: "more")

    assert host.test_client().get(f"{PREFIX}/more").text == "more"


def test_mounted_at_the_root_unknown_paths_are_the_hosts(services: Services) -> None:
    app = Flask("host")
    app.register_error_handler(404, lambda _: ("the host's 404", 404))
    app.register_blueprint(create_blueprint(services=services))

    assert app.test_client().get("/nothing", headers=HTML).text == "the host's 404"


def test_the_hosts_pages_files_and_errors_stay_its_own(client: FlaskClient) -> None:
    assert client.get("/", headers=HTML).text == "<h1>the host's base</h1>"
    assert client.get("/nothing").text == "the host's 404"
    assert client.get("/api/reports").text == "the host's 404"
    assert client.delete("/").text == "the host's 405"
    assert client.get("/broken").text == "the host's failure"
    with client.get("/static/css/reports.css") as response:
        assert response.get_data(as_text=True) == "/* the host's */"
    with client.get(f"{PREFIX}/static/css/reports.css") as response:
        assert "the host's" not in response.get_data(as_text=True)


def test_responses_of_the_host_application_get_no_headers_of_the_product(client: FlaskClient) -> None:
    response = client.get("/")

    assert "Content-Security-Policy" not in response.headers
    assert "Cache-Control" not in response.headers
    assert client.post("/upload", data=b"x" * 500_000).text == "500000"


def test_a_response_of_the_host_application_is_not_changed(
    host: Flask, client: FlaskClient, factory: ReportFactory
) -> None:
    host.before_request(lambda: ("log in first", 401))

    for path in ("/", "/api/reports", f"/api/reports/{factory.request()}"):
        response = client.get(PREFIX + path)
        assert (response.status_code, response.text) == (401, "log in first")


def test_it_can_be_mounted_by_two_applications(services: Services) -> None:
    for prefix in ("/one", "/two"):
        app = Flask("host")
        app.config.update(SECRET_KEY="the host's own secret")
        app.register_blueprint(create_blueprint(services=services), url_prefix=prefix)
        client = app.test_client()

        assert client.get(f"{prefix}/").status_code == 200
        assert client.get(f"{prefix}/api/reports").status_code == 200


def test_without_settings_they_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URI", "redis://127.0.0.1:7777/3")
    app = Flask("host")

    app.register_blueprint(create_blueprint())

    pool = app.extensions["reports"].queue.connection.connection_pool
    assert (pool.connection_kwargs["port"], pool.connection_kwargs["db"]) == (7777, 3)
