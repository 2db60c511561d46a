"""The product's own application."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from harness.ports import free_port
from reports_app import AppSettings, create_app
from reports_app.services.container import Services, add_services
from reports_worker import Settings, SettingsError
from reports_worker.broker.address import parse_address
from tests.unit.reports_app.html_tree import parse_html
from tests.unit.reports_app.report_factory import ReportFactory, break_queue

HTML = {"Accept": "text/html"}
SECRET = "a secret for tests alone"


def app_for(services: Services, **settings: object) -> Flask:
    app = create_app(AppSettings(secret_key=SECRET, **settings))  # type: ignore[arg-type]
    add_services(app, services)
    return app


def test_if_the_api_is_open_health_and_every_page_show_a_warning(services: Services) -> None:
    client = app_for(replace(services, is_open=True), is_open=True).test_client()

    (warning,) = client.get("/health").get_json()["warnings"]
    assert warning.startswith("REPORTS_OPEN=yes: there is no sign-in")
    for path in ("/", "/types", "/docs", "/nothing", "/reports/nothing"):
        assert "There is no sign-in" in client.get(path, headers=HTML).text


def test_on_loopback_there_is_no_warning(product_client: FlaskClient) -> None:
    assert "warnings" not in product_client.get("/health").get_json()
    assert "sign-in" not in product_client.get("/", headers=HTML).text


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("application/json", "application/problem+json"),
        (None, "application/problem+json"),
    ],
)
def test_an_unknown_address_is_a_page_for_browsers_and_problem_details_for_programs(
    product_client: FlaskClient, accept: str | None, mimetype: str
) -> None:
    response = product_client.get("/nothing", headers={"Accept": accept} if accept else {})

    assert (response.status_code, response.mimetype) == (404, mimetype)


def test_the_page_of_an_error_leads_back(product_client: FlaskClient) -> None:
    page = parse_html(product_client.get("/nothing", headers=HTML).text)

    assert page.get("h1").text == "Not found"
    assert page.links()["All reports"] == "/"


def test_a_method_that_a_page_has_not_is_refused(product_client: FlaskClient) -> None:
    response = product_client.delete("/reports", headers=HTML)

    assert response.status_code == 405
    assert parse_html(response.text).get("h1").text == "The request was refused"


def test_an_unforeseen_error_is_a_page_without_its_words(product_client: FlaskClient) -> None:
    break_queue(product_client.application)

    response = product_client.get("/", headers=HTML)

    assert response.status_code == 500
    assert parse_html(response.text).get("h1").text == "Unexpected error"
    assert "secret" not in response.text


def test_with_the_broker_away_the_response_has_a_retry_time(
    product_client: FlaskClient, memory_server: fakeredis.FakeServer, factory: ReportFactory
) -> None:
    task_id = factory.request()
    memory_server.connected = False
    body = {"title": "Q4", "type": "sales"}

    answers = [
        product_client.get("/api/reports"),
        product_client.get(f"/api/reports/{task_id}"),
        product_client.post("/api/reports", json=body),
    ]

    for response in answers:
        assert (response.status_code, response.mimetype) == (503, "application/problem+json")
        assert int(response.headers["Retry-After"]) >= 1
        assert "broker cannot be reached" in response.get_json()["detail"]
    memory_server.connected = True
    assert product_client.post("/api/reports", json=body).status_code == 202
    assert len(product_client.get("/api/reports").get_json()) == 2


def test_with_the_broker_away_an_invalid_request_is_still_refused_as_invalid(
    product_client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    memory_server.connected = False

    assert product_client.post("/api/reports", json={}).status_code == 400
    assert product_client.get("/api/reports/7").status_code == 404


def test_with_the_broker_away_health_has_the_reason_and_alive_is_alive(
    product_client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    memory_server.connected = False

    response = product_client.get("/health")

    assert response.status_code == 503
    assert response.get_json()["status"] == "unhealthy"
    assert response.get_json()["service"] == "report-api"
    assert "broker" in response.get_json()["reason"]
    assert product_client.get("/alive").status_code == 200
    memory_server.connected = True
    assert product_client.get("/health").get_json() == {"status": "healthy", "service": "report-api"}


def test_a_closed_port_is_a_broker_that_cannot_be_reached() -> None:
    address = parse_address(f"redis://:hunter22@127.0.0.1:{free_port()}")
    client = create_app(AppSettings(Settings(broker=address), secret_key=SECRET)).test_client()

    answers = [client.get("/", headers=HTML), client.get("/api/reports"), client.get("/health")]

    assert [response.status_code for response in answers] == [503, 503, 503]
    assert not any("hunter22" in response.text for response in answers)


def test_creating_an_application_sends_nothing_to_the_broker() -> None:
    address = parse_address(f"redis://127.0.0.1:{free_port()}")

    app = create_app(AppSettings(Settings(broker=address), secret_key=SECRET))

    assert app.extensions["reports"].queue.connection.connection_pool._available_connections == []


def test_two_applications_do_not_mix(services: Services) -> None:
    other = create_app(AppSettings(secret_key="another secret altogether"))
    mine = app_for(services)

    assert mine.extensions["reports"] is not other.extensions["reports"]
    assert mine.config["SECRET_KEY"] != other.config["SECRET_KEY"]


IMPORTING = """
import socket, sys
def refuse(*arguments, **options): raise SystemExit(f"connected to {arguments}")
socket.socket.connect = socket.create_connection = refuse
import reports_app
from reports_app import create_app
assert not any("Flask" in type(value).__name__ for value in vars(reports_app).values())
assert "reports_worker.worker.report_worker" not in sys.modules, "the worker is loaded"
app = create_app()
assert app.config["SECRET_KEY"]
print(app.test_client().get("/alive").status_code)
"""


def run_python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a new interpreter with an environment of its own."""
    root = str(Path(__file__).parents[3])
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": root, **environ}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)


def test_importing_and_creating_the_application_opens_no_connection(tmp_path: Path) -> None:
    done = run_python(IMPORTING, BROKER_URI=f"redis://127.0.0.1:{free_port()}", XDG_STATE_HOME=str(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[-1] == "200"
    assert (tmp_path / "background-reports" / "secret-key").exists()


def test_a_bad_setting_is_raised_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")

    with pytest.raises(SettingsError, match="PORT='many'"):
        create_app()
