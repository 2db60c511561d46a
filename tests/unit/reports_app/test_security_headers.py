"""The security headers of every response."""

from __future__ import annotations

from typing import Any

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_app import AppSettings, create_app
from reports_app.rq_dashboard import PREFIX
from tests.unit.reports_app.html_tree import parse_html
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory

HTML = {"Accept": "text/html"}


def policy_of(response: Any) -> dict[str, list[str]]:
    directives = [part.split() for part in response.headers["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in directives}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/reports"),
        ("GET", "/reports?partial=1"),
        ("POST", "/reports"),
        ("GET", "/nothing"),
        ("DELETE", "/"),
        ("GET", "/static/nothing.css"),
    ],
)
def test_a_page_runs_the_products_scripts_only(product_client: FlaskClient, method: str, path: str) -> None:
    response = product_client.open(path, method=method, headers=HTML)

    policy = policy_of(response)
    assert response.mimetype == "text/html"
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == ["'self'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'self'"]
    assert "unsafe" not in str(policy)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/api/reports", f"/api/reports/{UNKNOWN_ID}", "/health", "/alive", "/api/nothing"]
)
def test_json_may_load_and_be_framed_by_nothing(product_client: FlaskClient, path: str) -> None:
    response = product_client.get(path)

    assert policy_of(response) == {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_refused_and_a_failed_request_have_them_too(
    product_client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    memory_server.connected = False
    for response in (product_client.get("/api/reports"), product_client.post("/api/reports")):
        assert policy_of(response)["default-src"] == ["'none'"]


def test_the_queues_dashboard_alone_may_have_its_script_within(
    product_client: FlaskClient, factory: ReportFactory
) -> None:
    factory.request()

    response = product_client.get(f"{PREFIX}/")

    policy = policy_of(response)
    assert response.status_code == 200
    assert "'unsafe-inline'" in policy["script-src"]
    assert policy["default-src"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]


def test_static_files_are_cached_and_revalidated(client: FlaskClient) -> None:
    with client.get("/static/css/reports.css") as response:
        tag = response.headers["ETag"]
        assert response.mimetype == "text/css"
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    with client.get("/static/css/reports.css", headers={"If-None-Match": tag}) as response:
        assert response.status_code == 304


@pytest.mark.parametrize(
    "path", ["../setup.cfg", "%2e%2e/setup.cfg", "..%2fsetup.cfg", "css", "css/", "/etc/passwd"]
)
def test_only_static_files_are_served_as_such(client: FlaskClient, path: str) -> None:
    with client.get(f"/static/{path}") as response:
        assert response.status_code in (404, 308)


def test_the_session_cookie_is_restricted_to_the_product(product_client: FlaskClient) -> None:
    product_client.get("/")

    cookie = product_client.get_cookie("reports_session")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_a_view_may_choose_its_own(product: Flask) -> None:
    @product.get("/chosen")
    def chosen() -> Any:
        return "x", {"Content-Security-Policy": "default-src 'self'", "Cache-Control": "max-age=60"}

    response = product.test_client().get("/chosen")

    assert response.headers["Content-Security-Policy"] == "default-src 'self'"
    assert response.headers["Cache-Control"] == "max-age=60"


def test_behind_a_proxy_addresses_are_those_that_the_browser_knows() -> None:
    app = create_app(
        AppSettings(
            secret_key="a secret for tests alone", proxies=1, is_open=True, allowed_hosts=("own.example",)
        )
    )
    proxy = {"X-Forwarded-Prefix": "/tools", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "own.example"}

    page = parse_html(app.test_client().get("/nothing", headers=HTML | proxy).text)

    assert page.links()["All reports"] == "/tools/"
