"""Invalid requests get problem details with the right status, and nothing is queued."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import CATALOG, TYPES, ReportQueue
from tests.extent import count_examples
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory, break_queue

LIMIT = 64 * 1024
JSON = "application/json"


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    """Make sure that this is a problem of RFC 9457; return it."""
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    body: dict[str, Any] = response.get_json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in response.text
    return body


def fields_of(body: dict[str, Any]) -> list[str]:
    return [error["field"] for error in body.get("errors", [])]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"title=Q4&type=sales", id="a form"),
        pytest.param(b"{'title': 'Q4'}", id="single quotes"),
        pytest.param(b'{"title": "\xff\xfe", "type": "sales"}', id="no UTF-8"),
        pytest.param('{"title": "Q4", "type": "sales"}'.encode("utf-16"), id="UTF-16"),
        pytest.param('\ufeff{"title": "Q4", "type": "sales"}'.encode(), id="byte order mark"),
        pytest.param(b'{"title": "a\nb", "type": "sales"}', id="raw line break"),
        pytest.param(b'{"title": NaN, "type": "sales"}', id="NaN"),
        pytest.param(b'{"title": "Q4", "type": "sales", "parameters": {"a": -Infinity}}', id="-Infinity"),
        pytest.param(b"9" * 5000, id="5,000 digits"),
        pytest.param(b"[" * 60_000, id="60,000 open brackets"),
        pytest.param(b"[" * 30_000 + b"]" * 30_000, id="nested 30,000 deep"),
        pytest.param(b'{"a":' * 12_000 + b"1" + b"}" * 5_000, id="objects 12,000 deep"),
        pytest.param(b"\x00" * 100, id="zeros"),
    ],
)
def test_invalid_json_is_malformed(client: FlaskClient, factory: ReportFactory, data: bytes) -> None:
    response = client.post("/api/reports", data=data, content_type=JSON)

    assert "errors" not in assert_problem(response, 400)
    assert factory.connection.keys() == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param({}, ["title", "type"], id="nothing"),
        pytest.param({"type": "sales"}, ["title"], id="no title"),
        pytest.param({"title": "Q4"}, ["type"], id="no type"),
        pytest.param({"title": None, "type": None}, ["title", "type"], id="null"),
        pytest.param({"title": 7, "type": 7}, ["title", "type"], id="numbers"),
        pytest.param({"title": True, "type": False}, ["title", "type"], id="booleans"),
        pytest.param({"title": ["Q4"], "type": ["sales"]}, ["title", "type"], id="arrays"),
        pytest.param({"title": {"a": 1}, "type": {}}, ["title", "type"], id="objects"),
        pytest.param({"title": "", "type": ""}, ["title", "type"], id="empty texts"),
        pytest.param({"title": " \t\n ", "type": "sales"}, ["title"], id="white space"),
        pytest.param({"title": "x" * 201, "type": "sales"}, ["title"], id="201 characters"),
        pytest.param({"title": "a\nb", "type": "sales"}, ["title"], id="line break"),
        pytest.param({"title": "a\x00b", "type": "sales"}, ["title"], id="NUL"),
        pytest.param({"title": "a\u2028b", "type": "sales"}, ["title"], id="line separator"),
        pytest.param({"title": "a\ud800b", "type": "sales"}, ["title"], id="lone surrogate"),
        pytest.param({"title": "Q4", "type": "weather"}, ["type"], id="unknown type"),
        pytest.param({"title": "Q4", "type": "Sales"}, ["type"], id="type in capitals"),
        pytest.param({"title": "Q4", "type": "\ud800"}, ["type"], id="type of a lone surrogate"),
        pytest.param({"title": "Q4", "type": "sales", "titel": 1}, ["titel"], id="unknown field"),
        pytest.param({"title": "Q4", "type": "sales", "\ud800": 1}, ["\ud800"], id="field of a surrogate"),
        pytest.param({"title": "Q4", "type": "sales", "parameters": None}, ["parameters"], id="no object"),
        pytest.param({"title": "Q4", "type": "sales", "parameters": [1]}, ["parameters"], id="an array"),
        pytest.param(
            {"title": "Q4", "type": "sales", "parameters": {"year": 2024}},
            ["parameters.year"],
            id="unknown parameter",
        ),
        pytest.param([], [""], id="array"),
        pytest.param("sales", [""], id="text"),
        pytest.param(None, [""], id="null alone"),
        pytest.param(12, [""], id="number alone"),
    ],
)
def test_the_fields_at_fault_are_named(
    client: FlaskClient, factory: ReportFactory, body: object, fields: list[str]
) -> None:
    response = client.post("/api/reports", data=json.dumps(body), content_type=JSON)

    problem = assert_problem(response, 400)
    assert fields_of(problem) == fields
    assert all(error["message"] in problem["detail"] for error in problem["errors"])
    assert factory.connection.keys() == []


def test_no_more_than_a_few_faults_are_told(client: FlaskClient) -> None:
    response = client.post("/api/reports", json={f"field{number}": 1 for number in range(1000)})

    assert len(fields_of(assert_problem(response, 400))) == 20


@pytest.mark.parametrize("title", ["x", "x" * 200, "  " + "😀" * 200 + "  ", "<b>&amp;", "مرحبا", "a\u202eb"])
def test_any_other_title_is_accepted_unchanged(client: FlaskClient, title: str) -> None:
    response = client.post("/api/reports", json={"title": title, "type": "sales"})

    assert response.status_code == 202
    assert client.get(response.headers["Location"]).get_json()["title"] == title.strip()


def test_a_body_of_just_the_limit_is_read(client: FlaskClient) -> None:
    body = b'{"title": "Q4", "type": "sales"}'

    response = client.post("/api/reports", data=body.ljust(LIMIT), content_type=JSON)

    assert response.status_code == 202


def test_a_body_over_the_limit_is_too_large(client: FlaskClient, factory: ReportFactory) -> None:
    body = b'{"title": "Q4", "type": "sales"}'

    response = client.post("/api/reports", data=body.ljust(LIMIT + 1), content_type=JSON)

    assert_problem(response, 413)
    assert factory.connection.keys() == []


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 202), (LIMIT + 1, 413), (10 * LIMIT, 413)])
def test_a_body_of_unknown_length_has_the_same_limit(client: FlaskClient, size: int, status: int) -> None:
    body = io.BytesIO(b'{"title": "Q4", "type": "sales"}'.ljust(size))
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    response = client.post("/api/reports", input_stream=body, content_type=JSON, environ_overrides=chunked)

    assert response.status_code == status


def test_a_title_of_100_kb_is_too_large(client: FlaskClient) -> None:
    assert_problem(client.post("/api/reports", json={"title": "x" * 100_000, "type": "sales"}), 413)


def test_a_title_of_60_kb_is_too_long_and_not_repeated(client: FlaskClient) -> None:
    response = client.post("/api/reports", json={"title": "x" * 60_000, "type": "sales"})

    assert fields_of(assert_problem(response, 400)) == ["title"]
    assert len(response.data) < 1000


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "a/b;;;"]
)
def test_another_media_type_is_refused(
    client: FlaskClient, factory: ReportFactory, media_type: str | None
) -> None:
    body = b'{"title": "Q4", "type": "sales"}'

    response = client.post("/api/reports", data=body, content_type=media_type)

    assert "application/json" in assert_problem(response, 415)["detail"]
    assert factory.connection.keys() == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/reports", "GET, HEAD, OPTIONS, POST"),
        (f"/api/reports/{UNKNOWN_ID}", "DELETE, GET, HEAD, OPTIONS"),
        (f"/api/reports/{UNKNOWN_ID}/cancel", "OPTIONS, POST"),
        (f"/api/reports/{UNKNOWN_ID}/retry", "OPTIONS, POST"),
        ("/api/report-types", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
        ("/alive", "GET, HEAD, OPTIONS"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_an_unsupported_method_is_refused_with_the_supported_ones(
    client: FlaskClient, path: str, allowed: str, method: str
) -> None:
    if method in allowed:
        return

    response = client.open(path, method=method, headers={"Accept": "text/html"})

    assert_problem(response, 405)
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "task_id",
    [
        UNKNOWN_ID,
        "7",
        "abc-123-xyz",
        "%00",
        "%ff",
        "%C3%BC",
        "..",
        "%2e%2e",
        "...",
        "a:b",
        "*",
        "%0d%0aX-Evil:1",
        "<script>",
        UNKNOWN_ID.upper(),
        UNKNOWN_ID + "%0a",
        "x" * 3000,
    ],
)
def test_an_unknown_id_is_not_found(client: FlaskClient, task_id: str) -> None:
    response = client.get(f"/api/reports/{task_id}")

    assert_problem(response, 404)
    assert "X-Evil" not in response.headers
    assert len(response.data) < 1000


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/nothing", "/api/reports/", "/api/reports/7/more", "/api/%00", "/api/v1/x/y/z"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "TRACE"])
def test_there_is_nothing_else_below_api(client: FlaskClient, path: str, method: str) -> None:
    response = client.open(path, method=method, headers={"Accept": "text/html"})

    assert_problem(response, 404)


@pytest.mark.parametrize(
    "limit", ["0", "-1", "501", "1.5", "1e2", "", " ", "ten", "²", "٣", "9" * 5000, "+5"]
)
def test_a_bad_limit_is_named(client: FlaskClient, limit: str) -> None:
    response = client.get("/api/reports", query_string={"limit": limit})

    assert fields_of(assert_problem(response, 400)) == ["limit"]


@pytest.mark.parametrize("cursor", ["", "7", "-", "+", "[a", "\x00", "ü", UNKNOWN_ID + "\n", "x" * 5000])
def test_a_bad_cursor_is_named(client: FlaskClient, cursor: str) -> None:
    response = client.get("/api/reports", query_string={"cursor": cursor})

    assert fields_of(assert_problem(response, 400)) == ["cursor"]


def test_both_faults_of_the_paging_are_named(client: FlaskClient) -> None:
    assert fields_of(assert_problem(client.get("/api/reports?limit=x&cursor=y"), 400)) == ["limit", "cursor"]


def test_an_unexpected_error_is_reported_without_its_message(app: Flask, factory: ReportFactory) -> None:
    break_queue(app)

    response = app.test_client().get(f"/api/reports/{factory.request()}")

    assert_problem(response, 500)
    assert "secret" not in response.text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
nearly = st.fixed_dictionaries(
    {"title": values | st.text(min_size=1)},
    optional={"type": st.sampled_from([*CATALOG]) | values, "parameters": values, "Title": values},
)


@pytest.fixture(scope="module")
def busy_client() -> FlaskClient:
    """One application for many examples."""
    app = Flask("host_application")
    queue = ReportQueue(fakeredis.FakeRedis(server=fakeredis.FakeServer()), timeout=timedelta(hours=1))
    app.register_blueprint(create_blueprint(services=Services(queue, TYPES)))
    return app.test_client()


@settings(
    max_examples=count_examples(20, wide=1500), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(body=values | nearly)
def test_any_json_is_accepted_or_refused_and_what_is_accepted_can_be_read(
    busy_client: FlaskClient, body: object
) -> None:
    response = busy_client.post("/api/reports", data=json.dumps(body), content_type=JSON)

    assert response.status_code in (202, 400)
    if response.status_code == 202:
        assert isinstance(body, dict)
        report = busy_client.get(response.headers["Location"])
        assert report.get_json()["title"] == body["title"].strip()
