"""Searching the list with the form of the page."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from reports_app.pages.views import PAGE_SIZE
from tests.unit.reports_app.html_tree import Element, parse_html
from tests.unit.reports_app.pages.test_pages import VIEWS, fetch, titles
from tests.unit.reports_app.report_factory import ReportFactory

views = pytest.mark.parametrize("view", VIEWS)


def find(client: FlaskClient, view: str, **filters: str) -> Element:
    return fetch(client, f"{view}{'&' if '?' in view else '?'}{urlencode(filters)}")


def live_url(page: Element) -> str:
    return next(one.attributes["data-live"] for one in page.walk() if "data-live" in one.attributes)


@views
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"q": "q4"}, ["Q4 sales", "Q4 stock"]),
        ({"status": "failed"}, ["Q4 stock"]),
        ({"type": "users"}, ["Who came"]),
        ({"q": "q4", "status": "completed", "type": "sales"}, ["Q4 sales"]),
    ],
    ids=["q", "status", "type", "all"],
)
def test_each_view_shows_the_matching_reports(
    client: FlaskClient, factory: ReportFactory, view: str, filters: dict[str, str], found: list[str]
) -> None:
    factory.request("Who came", "users")
    factory.fail("Q4 stock")
    factory.complete("Q4 sales")

    assert titles(find(client, view, **filters)) == found


def test_a_form_sent_with_some_fields_empty_filters_by_the_others(
    client: FlaskClient, factory: ReportFactory
) -> None:
    factory.request("Who came", "users")
    factory.request("Q4")

    assert titles(find(client, "/", q="q4", status="", type="")) == ["Q4"]
    assert titles(find(client, "/", q="", status="", type="users")) == ["Who came"]
    assert titles(find(client, "/", q="", status="pending", type="")) == ["Q4", "Who came"]
    page = find(client, "/", q="", status="", type="")
    assert titles(page) == ["Q4", "Who came"]
    assert "2 in total" in page.text


@pytest.mark.parametrize("bad", [{"status": "weather"}, {"q": "x" * 201}, {"status": "\x00"}], ids=ascii)
def test_an_invalid_filter_is_ignored(
    client: FlaskClient, factory: ReportFactory, bad: dict[str, str]
) -> None:
    factory.request("Who came", "users")
    factory.request("Q4")

    page = find(client, "/", **bad, type="users")

    assert titles(page) == ["Who came"]
    assert live_url(page) == "/reports?partial=1&type=users"


def test_the_form_shows_the_current_search(client: FlaskClient) -> None:
    page = find(client, "/", q='Q4 "<b>', status="failed", type="users")

    search = page.get("form", role="search")
    chosen = [option.text for option in search.find_all("option") if "selected" in option.attributes]
    assert search.attributes["method"] == "get"
    assert search.get("input", name="q").attributes["value"] == 'Q4 "<b>'
    assert chosen == ["failed", "Users"]
    assert page.links()["Show all"] == "/#reports"
    assert "Show all" not in fetch(client, "/").links()


def test_each_field_of_the_search_has_a_label(client: FlaskClient) -> None:
    search = fetch(client, "/").get("form", role="search")

    labels = {label.attributes["for"]: label.text for label in search.find_all("label")}
    controls = {
        one.attributes["id"]: one.attributes["name"] for one in search.walk() if "name" in one.attributes
    }
    assert list(labels.values()) == ["Search titles", "Status", "Type"]
    assert list(controls.values()) == ["q", "status", "type"]
    assert labels.keys() == controls.keys()
    assert search.get("button").text == "Filter"


@views
def test_paging_keeps_the_filters(client: FlaskClient, factory: ReportFactory, view: str) -> None:
    for number in range(PAGE_SIZE + 3):
        factory.fail(f"50 % & ü {number}")
        factory.request("another")

    first = find(client, view, q="50 % & ü", status="failed", type="sales")
    older = fetch(client, first.links()["Older"])

    assert len(titles(first)) == PAGE_SIZE
    assert titles(older) == [f"50 % & ü {number}" for number in (2, 1, 0)]
    assert "Older" not in older.links()
    assert titles(fetch(client, older.links()["Newest"])) == titles(first)
    assert "in total" not in first.text


def test_live_part_and_frame_keep_the_filters_and_the_page(
    client: FlaskClient, factory: ReportFactory
) -> None:
    for number in range(PAGE_SIZE + 1):
        factory.fail(f"Q4 {number}")
        factory.request("another")
    first = find(client, "/", q="q4", status="failed")
    older = fetch(client, first.links()["Older"])

    for page in (first, older):
        live, frame = fetch(client, live_url(page)), page.get("iframe").attributes["src"]
        assert titles(live) == titles(fetch(client, frame)) == titles(page)


@views
def test_without_a_match_the_list_shows_a_notice(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    factory.request()

    page = find(client, view, q="nothing like that")

    assert titles(page) == []
    assert "No report matches the filter" in page.text
    assert "No reports yet" not in page.text


def test_a_search_is_not_affected_by_the_form_that_requests_a_report(
    client: FlaskClient, factory: ReportFactory
) -> None:
    factory.request("Q4")

    response = client.post("/reports", data={"title": "", "type": "sales"})

    assert titles(parse_html(response.text)) == ["Q4"]
