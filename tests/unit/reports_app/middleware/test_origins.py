"""Pages of other sites cannot change reports; programs and the product's own pages can."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from fakeredis import FakeRedis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from reports_app import create_blueprint
from reports_app.middleware.origins import is_own_origin
from reports_app.services.container import Services, add_services
from reports_worker import TYPES, ReportQueue, Status
from tests.unit.reports_app.conftest import share_product
from tests.unit.reports_app.html_tree import parse_html
from tests.unit.reports_app.report_factory import ReportFactory

HTML = {"Accept": "text/html"}
PREFIX = "/tools/reports"
STRANGE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8160"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin,cross-site"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:8160"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://"},
    {"Origin": "chrome-extension://localhost"},
]
OURS: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    # A proxy that forwards no host name; the browser sends that the page has the same origin.
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://reports.example"},
    {"Origin": "http://localhost"},
    {"Origin": "https://localhost"},
]


class Page:
    """A page that was opened before, with its cookie and token."""

    def __init__(self, client: FlaskClient, prefix: str) -> None:
        self._client, self._prefix = client, prefix
        page = parse_html(client.get(f"{prefix}/").text)
        self._token = page.find_all("input", name="csrf_token")[0].attributes["value"]

    def press(self, path: str, headers: dict[str, str], **fields: str) -> Any:
        """Press a button."""
        data = {"csrf_token": self._token, **fields}
        return self._client.post(f"{self._prefix}{path}", data=data, headers=headers | HTML)


@pytest.fixture(params=["", PREFIX])
def prefix(request: pytest.FixtureRequest) -> str:
    """The application of the blueprint: the product's own, or a host application."""
    return str(request.param)


@cache
def share_host() -> Flask:
    """A host application with the blueprint below a prefix."""
    app = Flask("host")
    app.config.update(SECRET_KEY="the host's own secret")
    services = Services(ReportQueue(FakeRedis(), timeout=timedelta(hours=1)), TYPES)
    app.register_blueprint(create_blueprint(services=services), url_prefix=PREFIX)
    return app


@pytest.fixture
def client(services: Services, prefix: str) -> Iterator[FlaskClient]:
    app = share_host() if prefix else share_product()
    add_services(app, services)
    with app.test_client() as client:
        yield client


@pytest.mark.parametrize("headers", STRANGE)
def test_a_page_of_another_site_changes_nothing_by_the_api(
    client: FlaskClient, prefix: str, factory: ReportFactory, queue: ReportQueue, headers: dict[str, str]
) -> None:
    waiting, failed = factory.request(), factory.fail()

    answers = [
        client.post(f"{prefix}/api/reports/{waiting}/cancel", headers=headers),
        client.post(f"{prefix}/api/reports/{failed}/retry", headers=headers),
        client.delete(f"{prefix}/api/reports/{failed}", headers=headers),
        client.post(f"{prefix}/api/reports", json={"title": "x", "type": "sales"}, headers=headers),
        client.put(f"{prefix}/api/reports", headers=headers),
        client.patch(f"{prefix}/api/nothing", headers=headers),
    ]

    for response in answers:
        assert (response.status_code, response.mimetype) == (403, "application/problem+json")
        assert "only pages of localhost may change reports" in response.get_json()["detail"]
    statuses = {report.task_id: report.status for report in queue.list(limit=10).reports}
    assert statuses == {waiting: Status.PENDING, failed: Status.FAILED}


@pytest.mark.parametrize("headers", STRANGE)
def test_a_page_of_another_site_changes_nothing_by_a_form_whose_token_it_has(
    client: FlaskClient, prefix: str, factory: ReportFactory, queue: ReportQueue, headers: dict[str, str]
) -> None:
    task_id = factory.request()
    page = Page(client, prefix)

    answers = [
        page.press(f"/reports/{task_id}/cancel", headers),
        page.press("/reports", headers, title="tossed", type="sales"),
    ]

    for response in answers:
        assert (response.status_code, response.mimetype) == (403, "text/html")
        assert "only pages of localhost may change reports" in response.text
    assert [one.status for one in queue.list(limit=10).reports] == [Status.PENDING]


@pytest.mark.parametrize("headers", OURS)
def test_programs_and_the_products_pages_may_change_reports(
    client: FlaskClient, prefix: str, factory: ReportFactory, headers: dict[str, str]
) -> None:
    task_id, other = factory.request(), factory.request()
    page = Page(client, prefix)

    assert page.press("/reports", headers, title="Q4", type="sales").status_code == 303
    assert page.press(f"/reports/{task_id}/cancel", headers).status_code == 303
    assert client.post(f"{prefix}/api/reports/{other}/cancel", headers=headers).status_code == 202
    assert client.delete(f"{prefix}/api/reports/{other}", headers=headers).status_code == 204


@pytest.mark.parametrize("headers", STRANGE)
def test_a_read_request_needs_no_origin(client: FlaskClient, prefix: str, headers: dict[str, str]) -> None:
    for path in ("/", "/api/reports", "/health"):
        assert client.get(f"{prefix}{path}", headers=headers).status_code == 200
        assert client.head(f"{prefix}{path}", headers=headers).status_code == 200


def test_a_preflight_response_grants_no_permission(
    client: FlaskClient, prefix: str, factory: ReportFactory
) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}

    response = client.options(f"{prefix}/api/reports/{factory.request()}", headers=headers)

    assert response.status_code == 204
    assert not [name for name in response.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118


@pytest.mark.parametrize(
    ("proxy", "origin", "status"),
    [
        # The proxy terminates TLS, and forwards name and scheme.
        ({"X-Forwarded-Host": "own.example", "X-Forwarded-Proto": "https"}, "https://own.example", 202),
        (
            {"X-Forwarded-Host": "own.example:8443", "X-Forwarded-Proto": "https"},
            "https://own.example:8443",
            202,
        ),
        # The proxy does not forward the scheme.
        ({"X-Forwarded-Host": "own.example"}, "https://own.example", 202),
        ({"X-Forwarded-Host": "own.example:443"}, "https://own.example", 202),
        ({"Host": "own.example"}, "https://own.example", 202),
        ({"X-Forwarded-Host": "own.example", "X-Forwarded-Proto": "https"}, "https://evil.example", 403),
        ({"X-Forwarded-Host": "own.example"}, "https://own.example:8443", 403),
        ({"X-Forwarded-Host": "own.example"}, "http://localhost", 403),
    ],
)
def test_behind_a_proxy_the_own_origin_has_the_host_name_that_the_browser_uses(
    services: Services,
    factory: ReportFactory,
    proxy: dict[str, str],
    origin: str,
    status: int,
) -> None:
    app = share_product(proxies=1, is_open=True, allowed_hosts=("own.example",))
    add_services(app, services)

    response = app.test_client().post(
        f"/api/reports/{factory.request()}/cancel", headers=proxy | {"Origin": origin}
    )

    assert response.status_code == status


names = st.from_regex(r"[a-z][a-z0-9-]{0,9}(\.[a-z]{2,5})?|\[[0-9a-f]{0,4}::[0-9a-f]{1,4}\]", fullmatch=True)
ports = st.one_of(st.just(""), st.integers(1, 65535).map(":{}".format))


@given(scheme=st.sampled_from(["http", "https"]), name=names, port=ports)
def test_an_origin_with_name_and_port_of_the_host_is_the_own_origin(
    scheme: str, name: str, port: str
) -> None:
    assert is_own_origin(f"{scheme}://{name}{port}", f"{name}{port}".upper())


@given(scheme=st.sampled_from(["http", "https"]), name=names, port=ports, other=names, another=ports)
def test_an_origin_of_another_name_or_port_is_not(
    scheme: str, name: str, port: str, other: str, another: str
) -> None:
    default = {"http": ":80", "https": ":443"}[scheme]
    is_same = (name, port or default) == (other, another or default)

    assert is_own_origin(f"{scheme}://{name}{port}", f"{other}{another}") is is_same


@given(st.text(), st.text())
def test_any_header_value_is_handled(origin: str, host: str) -> None:
    assert is_own_origin(origin, host) in (True, False)
