"""The list of all reports, on its page, in its frame and as the part that a script fetches."""

from __future__ import annotations

import fakeredis
import pytest
from flask.testing import FlaskClient

from harness.wait import wait_until
from reports_app.pages.views import PAGE_SIZE
from reports_worker import Reason
from reports_worker.lib.clock import now
from tests.unit.reports_app.html_tree import Element, parse_html
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory

VIEWS = ("/", "/reports", "/reports?partial=1")
views = pytest.mark.parametrize("view", VIEWS)


def fetch(client: FlaskClient, url: str) -> Element:
    response = client.get(url)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    return parse_html(response.text)


def card_of(client: FlaskClient, view: str, task_id: str) -> Element:
    return fetch(client, view).get("li", id=f"report-{task_id}")


def titles(page: Element) -> list[str]:
    return [heading.text for heading in page.find_all("h3")]


def badge(card: Element) -> str:
    return card.get("span", class_="badge").text


@views
def test_an_empty_list_shows_a_notice(client: FlaskClient, view: str) -> None:
    assert "No reports yet" in fetch(client, view).text


@views
def test_a_pending_report_waits_for_a_worker(client: FlaskClient, factory: ReportFactory, view: str) -> None:
    card = card_of(client, view, factory.request("Q4 sales"))

    assert card.get("h3").text == "Q4 sales"
    assert badge(card) == "pending"
    assert "Waiting for a worker" in card.text
    assert "requested just now" in card.text


@views
def test_a_running_report_shows_its_progress_and_stage(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    card = card_of(client, view, factory.start("Q4", percent=40, stage="adding up revenue"))

    bar = card.get("progress")
    assert badge(card) == "running"
    assert (bar.attributes["max"], bar.attributes["value"]) == ("100", "40")
    assert bar.attributes["aria-label"] == "Progress of Q4"
    assert "40 % · adding up revenue" in card.text


@views
def test_a_running_report_without_a_stage_yet_shows_its_percent_alone(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    card = card_of(client, view, factory.start())

    assert card.get("div", class_="progress").find_all("span")[0].text == "0 %"


@views
def test_a_completed_report_shows_its_figures_under_readable_names(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    card = card_of(client, view, factory.complete())

    names = [name.text for name in card.find_all("dt")]
    figures = [figure.text for figure in card.find_all("dd")]
    assert badge(card) == "completed"
    assert dict(zip(names, figures, strict=True)) == {
        "Total sales": "35,420",
        "Orders": "287",
        "Average order value": "123.45",
        "Top product": "Product-42",
    }
    assert "completed in 8 s" in card.text
    assert "completed just now" in card.text


@views
def test_a_completed_report_without_a_processing_time_is_shown(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    card = card_of(client, view, factory.complete(figures={"orders": 7}))

    assert "completed in" not in card.text
    assert card.get("dd").text == "7"


@views
def test_a_failed_report_shows_why(client: FlaskClient, factory: ReportFactory, view: str) -> None:
    card = card_of(client, view, factory.fail(error="It took too long.", reason=Reason.TIMEOUT))

    assert badge(card) == "failed"
    assert "It took too long." in card.text
    assert card.get("code").text == "timeout"


@views
def test_each_report_links_to_its_page_and_the_page_to_its_json(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    task_id = factory.request("Q4 sales")

    links = card_of(client, view, task_id).links()

    assert links == {"Q4 sales": f"/reports/{task_id}"}
    assert fetch(client, links["Q4 sales"]).links()[task_id] == f"/api/reports/{task_id}"


def test_times_are_exact_for_programs_and_on_hover(client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.request()
    factory.connection.hset(f"rq:job:{task_id}", "created_at", "2024-02-29T23:59:58.123456Z")

    time = card_of(client, "/", task_id).get("time")

    assert time.attributes["datetime"] == "2024-02-29T23:59:58+00:00"
    assert time.attributes["title"] == "2024-02-29 23:59:58 UTC"
    assert time.text.endswith("days ago")


@views
def test_the_links_of_the_pager_lead_through_all_reports_and_back(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    for number in range(2 * PAGE_SIZE + 1):
        factory.request(f"number {number}")

    page, seen = fetch(client, view), list[str]()
    while True:
        seen += titles(page)
        links = page.get("nav", aria_label="Pages of reports").links()
        assert ("Newest" in links) == (len(seen) > PAGE_SIZE)
        assert f"{2 * PAGE_SIZE + 1} in total" in page.text
        if "Older" not in links:
            break
        page = fetch(client, links["Older"])

    assert seen == [f"number {number}" for number in range(2 * PAGE_SIZE, -1, -1)]
    assert titles(fetch(client, links["Newest"])) == seen[:PAGE_SIZE]


def test_an_older_page_keeps_itself_current_and_not_the_newest(
    client: FlaskClient, factory: ReportFactory
) -> None:
    for number in range(PAGE_SIZE + 1):
        factory.request(f"number {number}")
    older = fetch(client, fetch(client, "/").links()["Older"])

    live = [element.attributes["data-live"] for element in older.walk() if "data-live" in element.attributes]
    frame = older.get("iframe").attributes["src"]

    assert [titles(fetch(client, url)) for url in (*live, frame)] == [["number 0"], ["number 0"]]


def test_the_cursor_of_a_report_that_is_gone_still_leads_on(
    client: FlaskClient, factory: ReportFactory
) -> None:
    ids = [factory.request(f"number {number}") for number in range(PAGE_SIZE + 5)]
    older = fetch(client, "/").links()["Older"]
    factory.remove(ids[5])  # the last one of the first page, which the cursor names

    assert titles(fetch(client, older)) == [f"number {number}" for number in (4, 3, 2, 1, 0)]


@views
def test_beyond_the_last_report_the_page_shows_a_notice(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    oldest = factory.request()

    page = fetch(client, f"{view}{'&' if '?' in view else '?'}cursor={oldest}")

    assert "No older reports" in page.text
    assert page.links()["Newest"] == "/#reports"


@pytest.mark.parametrize("cursor", ["", "7", "%00", "%ff", "<script>", UNKNOWN_ID.upper(), "x" * 3000])
@views
def test_a_cursor_that_cannot_be_one_shows_the_newest(
    client: FlaskClient, factory: ReportFactory, view: str, cursor: str
) -> None:
    factory.request("newest")

    page = fetch(client, f"{view}{'&' if '?' in view else '?'}cursor={cursor}")

    assert titles(page) == ["newest"]
    assert "Newest" not in page.links()


def test_the_part_equals_the_content_of_the_page(
    client: FlaskClient, factory: ReportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.complete()
    factory.fail()
    # Else an age could grow between the two requests.
    moment = now()
    monkeypatch.setattr("reports_app.blueprint.now", lambda: moment)

    page, part = fetch(client, "/"), fetch(client, "/reports?partial=1")

    live = next(element for element in page.walk() if "data-live" in element.attributes)
    assert live.attributes["data-live"] == "/reports?partial=1"
    assert live.text == part.text
    assert part.find_all("html") == []


def test_without_scripts_a_frame_refreshes_itself(client: FlaskClient) -> None:
    page = fetch(client, "/")

    source = page.find_all("noscript")[-1].get("iframe").attributes["src"]
    assert fetch(client, source).get("meta", http_equiv="refresh").attributes["content"] == "3"
    assert page.find_all("meta", http_equiv="refresh") == []
    assert all(link.attributes["target"] == "_top" for link in fetch(client, source).find_all("a"))


@pytest.mark.parametrize("view", ["/", "/reports"])
def test_a_page_has_a_language_a_title_one_main_part_and_headings_in_order(
    client: FlaskClient, factory: ReportFactory, view: str
) -> None:
    factory.complete()

    page = fetch(client, view)

    levels = [int(element.tag[1]) for element in page.walk() if element.tag in ("h1", "h2", "h3", "h4")]
    assert page.get("html").attributes["lang"] == "en"
    assert page.get("title").text
    assert len(page.find_all("main")) == 1
    assert levels == ([1, 2, 3] if view == "/" else [2, 3])
    assert page.get("meta", name="viewport").attributes["content"].startswith("width=device-width")


def test_ids_are_unique_and_each_reference_has_its_target(
    client: FlaskClient, factory: ReportFactory
) -> None:
    factory.complete()
    factory.start()

    page = fetch(client, "/")

    ids = [element.attributes["id"] for element in page.walk() if "id" in element.attributes]
    references = {
        name
        for element in page.walk()
        for attribute in ("for", "aria-describedby", "aria-labelledby")
        for name in element.attributes.get(attribute, "").split()
    }
    assert len(ids) == len(set(ids))
    assert references <= set(ids)
    assert "#main" in page.links().values()


@views
def test_with_the_broker_away_the_list_shows_that_nothing_is_lost(
    client: FlaskClient, memory_server: fakeredis.FakeServer, factory: ReportFactory, view: str
) -> None:
    factory.request("still here")
    memory_server.connected = False

    response = client.get(view)

    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert "They are not lost" in parse_html(response.text).text
    memory_server.connected = True
    wait_until(lambda: client.get(view).status_code == 200, what="the list")
    assert titles(fetch(client, view)) == ["still here"]


def test_with_the_broker_away_the_form_is_still_shown(
    client: FlaskClient, memory_server: fakeredis.FakeServer
) -> None:
    memory_server.connected = False

    page = parse_html(client.get("/").text)

    assert "cannot be reached" in page.get("p", role="alert").text
    assert page.form_to("/reports").get("button").text == "Generate report"
