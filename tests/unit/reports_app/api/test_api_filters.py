"""The filters of the list."""

from __future__ import annotations

import fakeredis
import pytest
from flask.testing import FlaskClient

from tests.unit.reports_app.api.test_api_contract import next_url
from tests.unit.reports_app.api.test_api_refusals import assert_problem, fields_of
from tests.unit.reports_app.report_factory import ReportFactory


@pytest.fixture
def shelf(factory: ReportFactory) -> ReportFactory:
    """One report for each value of the filters."""
    factory.complete("Q4 Sales Übersicht")
    factory.fail("q4 stock")
    factory.start("Q4 busy")
    factory.request("Who came", "users")
    factory.request("100 % of <b>", "inventory")
    return factory


def titles(client: FlaskClient, **query: str) -> list[str]:
    response = client.get("/api/reports", query_string=query)
    assert response.status_code == 200
    return [report["title"] for report in response.get_json()]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "pending"}, ["100 % of <b>", "Who came"]),
        ({"status": "running"}, ["Q4 busy"]),
        ({"status": "completed"}, ["Q4 Sales Übersicht"]),
        ({"status": "failed"}, ["q4 stock"]),
        ({"type": "users"}, ["Who came"]),
        ({"type": "weather"}, []),
        ({"type": ""}, ["100 % of <b>", "Who came", "Q4 busy", "q4 stock", "Q4 Sales Übersicht"]),
        ({"q": "Q4"}, ["Q4 busy", "q4 stock", "Q4 Sales Übersicht"]),
        ({"q": " ÜBERSICHT "}, ["Q4 Sales Übersicht"]),
        ({"q": "% of <b>"}, ["100 % of <b>"]),
        ({"q": ".*"}, []),
        ({"q": ""}, ["100 % of <b>", "Who came", "Q4 busy", "q4 stock", "Q4 Sales Übersicht"]),
        ({"q": "q4", "status": "failed"}, ["q4 stock"]),
        ({"q": "q4", "status": "failed", "type": "users"}, []),
    ],
    ids=ascii,
)
@pytest.mark.usefixtures("shelf")
def test_a_filter_selects_the_matching_reports(
    client: FlaskClient, query: dict[str, str], found: list[str]
) -> None:
    assert titles(client, **query) == found


def test_the_total_is_counted_without_a_filter_only(client: FlaskClient, shelf: ReportFactory) -> None:
    shelf.request()

    assert client.get("/api/reports").headers["X-Total-Count"] == "6"
    assert client.get("/api/reports?q=&type=").headers["X-Total-Count"] == "6"
    for query in ("q=q4", "status=failed", "type=sales", "q=nothing"):
        assert "X-Total-Count" not in client.get(f"/api/reports?{query}").headers


def test_the_link_to_the_next_page_keeps_limit_and_filters(
    client: FlaskClient, factory: ReportFactory
) -> None:
    for number in range(5):
        factory.fail(f"50 % & more=ü {number}")
        factory.request("another")
    seen: list[str] = []

    query = {"q": "50 % & more=ü", "status": "failed", "type": "sales", "limit": "2"}
    response = client.get("/api/reports", query_string=query)
    pages = 1
    while url := next_url(response):
        assert len(response.get_json()) == 2
        seen += [report["title"] for report in response.get_json()]
        response = client.get(url)
        pages += 1
    seen += [report["title"] for report in response.get_json()]

    assert seen == [f"50 % & more=ü {number}" for number in (4, 3, 2, 1, 0)]
    assert pages == 3


@pytest.mark.parametrize(
    "status", ["", "Pending", "queued", "finished", "pending,failed", "\x00", "x" * 5000]
)
def test_an_invalid_status_is_named_with_the_valid_ones(client: FlaskClient, status: str) -> None:
    problem = assert_problem(client.get("/api/reports", query_string={"status": status}), 400)

    assert fields_of(problem) == ["status"]
    assert "pending, running, completed, failed" in problem["detail"]


def test_a_search_that_no_title_could_match_is_named(client: FlaskClient) -> None:
    assert client.get("/api/reports", query_string={"q": "x" * 200}).status_code == 200

    problem = assert_problem(client.get("/api/reports", query_string={"q": "x" * 201}), 400)

    assert fields_of(problem) == ["q"]


def test_all_faults_of_the_filters_are_named(client: FlaskClient) -> None:
    response = client.get("/api/reports", query_string={"status": "x", "q": "x" * 201})

    assert fields_of(assert_problem(response, 400)) == ["status", "q"]


@pytest.mark.parametrize("query", ["status=failed", "type=sales", "q=x"])
def test_with_the_broker_away_a_filtered_list_has_a_retry_time(
    client: FlaskClient, memory_server: fakeredis.FakeServer, query: str
) -> None:
    memory_server.connected = False

    response = client.get(f"/api/reports?{query}")

    assert_problem(response, 503)
    assert response.headers["Retry-After"] == "2"
