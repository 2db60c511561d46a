"""The page of one report, and the actions of its buttons."""

from __future__ import annotations

import json
from typing import Any

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_worker import Reason, ReportQueue, Status
from reports_worker.content.report import Chart
from reports_worker.content.rows import Column, Kind
from reports_worker.domain.report import Completed, Receipt
from reports_worker.execution.preview import write_preview
from reports_worker.lib.clock import now
from reports_worker.queue.callback_outbox import Attempt
from tests.unit.reports_app.html_tree import Element, parse_html
from tests.unit.reports_app.report_factory import UNKNOWN_ID, ReportFactory
from tests.unit.reports_worker.formats.format_files import describe

HTML = {"Accept": "text/html"}
EVIL = "<script>window.evil=1</script>"
ACTIONS = ("cancel", "retry", "delete")


def fetch(client: FlaskClient, task_id: str, query: str = "") -> Element:
    response = client.get(f"/reports/{task_id}{query}")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    return parse_html(response.text)


def buttons(page: Element) -> dict[str, Element]:
    """The action buttons of a report, by action."""
    found = [button for button in page.find_all("button") if "formaction" in button.attributes]
    return {button.attributes["formaction"].rpartition("/")[2]: button for button in found}


def press(client: FlaskClient, page: Element, action: str) -> Any:
    """Press a button as a browser does: its form is sent to its address."""
    button = buttons(page)[action]
    form = page.get("form", id=button.attributes["form"])
    assert form.attributes["method"] == "post"
    return client.post(button.attributes["formaction"], data=form.hidden_fields(), headers=HTML)


def figures(page: Element) -> dict[str, str]:
    names, values = page.find_all("dt"), page.find_all("dd")
    return {name.text: value.text for name, value in zip(names, values, strict=True)}


def set_times(factory: ReportFactory, task_id: str, **times: str) -> None:
    for name, time in times.items():
        factory.connection.hset(f"rq:job:{task_id}", name, time)


def test_a_completed_report_shows_its_figures_and_its_timing(
    client: FlaskClient, factory: ReportFactory
) -> None:
    task_id = factory.complete("Q4 sales")
    set_times(
        factory,
        task_id,
        created_at="2024-02-29T12:00:00.000000Z",
        started_at="2024-02-29T12:00:01.500000Z",
        ended_at="2024-02-29T12:00:09.750000Z",
    )

    page = fetch(client, task_id)

    shown = figures(page)
    assert page.get("title").text == page.get("h1").text == "Q4 sales"
    assert page.get("span", class_="badge").text == "completed"
    assert shown["Total sales"] == "35,420"
    assert shown["Average order value"] == "123.45"
    assert (shown["Waited"], shown["Ran for"]) == ("1.5 s", "8.2 s")
    assert page.find_all("time")[-1].attributes["datetime"] == "2024-02-29T12:00:09+00:00"
    assert page.links()[task_id] == f"/api/reports/{task_id}"


def test_a_pending_report_shows_how_many_wait_before_it(client: FlaskClient, factory: ReportFactory) -> None:
    factory.request()
    factory.request()

    page = fetch(client, factory.request())

    assert "Waiting for a worker, 2 reports before this one" in page.text
    assert not {"Waited", "Ran for", "Completed"} & figures(page).keys()


def test_a_running_report_shows_its_progress(client: FlaskClient, factory: ReportFactory) -> None:
    page = fetch(client, factory.start(percent=40, stage="adding up revenue"))

    assert page.get("progress").attributes["value"] == "40"
    assert "40 % · adding up revenue" in page.text
    assert "Waited" in figures(page)
    assert "Completed" not in figures(page)


def test_a_failed_report_shows_why(client: FlaskClient, factory: ReportFactory) -> None:
    page = fetch(client, factory.fail(error="It took too long.", reason=Reason.TIMEOUT))

    assert "It took too long." in page.get("p", class_="error").text
    assert page.get("code").text == "timeout"


def test_a_report_without_a_callback_shows_no_callback(client: FlaskClient, factory: ReportFactory) -> None:
    assert "Callback" not in fetch(client, factory.complete()).text


@pytest.mark.parametrize("query", ["", "?partial=1"])
def test_a_report_with_a_callback_shows_the_state_of_its_delivery(
    client: FlaskClient, factory: ReportFactory, query: str
) -> None:
    task_id = factory.request(callback_url="https://hooks.example.com/x?token=hunter2")

    requested = figures(fetch(client, task_id, query))
    factory.begin(task_id)
    factory.end(task_id)
    due = figures(fetch(client, task_id, query))
    factory.deliver(Attempt(503, EVIL))
    tried = figures(fetch(client, task_id, query))
    factory.deliver(Attempt(204))
    page = fetch(client, task_id, query)
    delivered = figures(page)

    assert requested["Address"] == "https://hooks.example.com/x?…"
    assert "hunter2" not in page.text
    assert not {"Attempts", "Last response", "Last error", "Delivered"} & requested.keys()
    assert [shown["Delivery"] for shown in (requested, due, tried, delivered)] == [
        "when the report ends",
        "pending",
        "pending",
        "delivered",
    ]
    assert (tried["Attempts"], tried["Last response"], tried["Last error"]) == ("1", "503", EVIL)
    assert (delivered["Attempts"], delivered["Last response"]) == ("2", "204")
    assert "Delivered" in delivered
    assert "Last error" not in delivered


def test_without_scripts_the_page_refreshes_itself_until_the_callback_is_delivered(
    client: FlaskClient, factory: ReportFactory
) -> None:
    task_id = factory.request(callback_url="https://hooks.example.com/x")
    factory.begin(task_id)
    factory.end(task_id)

    due = fetch(client, task_id).find_all("meta", http_equiv="refresh")
    factory.deliver(Attempt(410, "It answered 410."))
    failed = fetch(client, task_id)

    assert len(due) == 1
    assert failed.find_all("meta", http_equiv="refresh") == []
    assert figures(failed)["Delivery"] == "failed"


@pytest.mark.parametrize("make", ["request", "start", "complete", "fail"])
def test_the_part_equals_the_content_of_the_page(
    client: FlaskClient, factory: ReportFactory, make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = getattr(factory, make)("Q4")
    # Else an age could grow between the two requests.
    moment = now()
    monkeypatch.setattr("reports_app.blueprint.now", lambda: moment)

    page, part = fetch(client, task_id), fetch(client, task_id, "?partial=1")

    live = next(element for element in page.walk() if "data-live" in element.attributes)
    assert live.attributes["data-live"] == f"/reports/{task_id}?partial=1"
    assert live.text == part.text
    assert part.find_all("html") == []
    assert part.find_all("form") == []


@pytest.mark.parametrize(("make", "refreshes"), [("request", 1), ("start", 1), ("complete", 0), ("fail", 0)])
def test_without_scripts_the_page_refreshes_itself_until_the_end(
    client: FlaskClient, factory: ReportFactory, make: str, refreshes: int
) -> None:
    page = fetch(client, getattr(factory, make)())

    inside = [one for noscript in page.find_all("noscript") for one in noscript.find_all("meta")]
    assert len(inside) == refreshes
    assert page.find_all("meta", http_equiv="refresh") == inside


@pytest.mark.parametrize(
    ("make", "possible"),
    [
        ("request", ["cancel", "delete"]),
        ("start", ["cancel", "delete"]),
        ("complete", ["delete"]),
        ("fail", ["retry", "delete"]),
    ],
)
def test_the_buttons_are_the_actions_that_the_status_allows(
    client: FlaskClient, factory: ReportFactory, make: str, possible: list[str]
) -> None:
    task_id = getattr(factory, make)("Q4")

    page, listed = fetch(client, task_id), parse_html(client.get("/").text)

    assert list(buttons(page)) == possible
    assert list(buttons(listed)) == [name for name in possible if name != "delete"]
    assert "delete" in buttons(page.get("details"))
    assert all(name.capitalize() + " Q4" == button.text for name, button in buttons(page).items())


@pytest.mark.parametrize(
    ("make", "action", "message"),
    [
        ("request", "cancel", "Report cancelled"),
        ("start", "cancel", "Report is being cancelled"),
        ("fail", "retry", "Report generation started"),
    ],
)
def test_a_button_acts_and_leads_back_to_the_report(
    client: FlaskClient, factory: ReportFactory, make: str, action: str, message: str
) -> None:
    task_id = getattr(factory, make)()

    response = press(client, fetch(client, task_id), action)

    assert (response.status_code, response.headers["Location"]) == (303, f"/reports/{task_id}")
    first, second = fetch(client, task_id), fetch(client, task_id)
    assert first.get("p", role="status").text == message
    assert second.find_all("p", role="status") == []


def test_the_buttons_perform_their_actions(
    client: FlaskClient, factory: ReportFactory, queue: ReportQueue
) -> None:
    ids = [factory.request(), factory.start(), factory.fail()]

    for task_id, action in zip(ids, ("cancel", "cancel", "retry"), strict=True):
        press(client, fetch(client, task_id), action)
    factory.end(ids[1])

    cancelled, stopped, retried = (queue.find(task_id) for task_id in ids)
    assert cancelled
    assert stopped
    assert retried
    assert (cancelled.status, cancelled.reason) == (Status.FAILED, Reason.CANCELLED)
    assert (stopped.status, stopped.reason) == (Status.FAILED, Reason.CANCELLED)
    assert retried.status is Status.PENDING


@pytest.mark.parametrize("view", ["/", "/reports"])
def test_a_button_of_the_list_leads_back_to_the_list(
    client: FlaskClient, factory: ReportFactory, queue: ReportQueue, view: str
) -> None:
    for make, action in (("request", "cancel"), ("fail", "retry")):
        before = queue.find(task_id := getattr(factory, make)())

        response = press(client, parse_html(client.get(view).text), action)

        assert (response.status_code, response.headers["Location"]) == (303, "/#reports")
        assert queue.find(task_id) != before
        assert parse_html(client.get("/").text).find_all("p", role="status")
        factory.remove(task_id)


@pytest.mark.parametrize("make", ["request", "start", "complete", "fail"])
def test_a_deleted_report_is_gone_and_the_list_confirms_it(
    client: FlaskClient, factory: ReportFactory, queue: ReportQueue, make: str
) -> None:
    task_id = getattr(factory, make)()

    response = press(client, fetch(client, task_id), "delete")

    assert (response.status_code, response.headers["Location"]) == (303, "/#reports")
    assert queue.find(task_id) is None
    assert parse_html(client.get("/").text).get("p", role="status").text == "Report deleted"
    assert client.get(f"/reports/{task_id}", headers=HTML).status_code == 404


def test_run_again_requests_another_such_report(
    client: FlaskClient, factory: ReportFactory, queue: ReportQueue
) -> None:
    task_id = factory.fail('"Q4" <b>')
    page = fetch(client, task_id)

    response = client.post("/reports", data=page.form_to("/reports").hidden_fields())

    newest = queue.list().reports[0]
    assert page.form_to("/reports").get("button").text == "Run again"
    assert (response.status_code, newest.title, newest.type) == (303, '"Q4" <b>', "sales")
    assert newest.task_id != task_id
    assert (queue.list().total, queue.find(task_id)) == (2, queue.list().reports[1])


@pytest.mark.parametrize(
    ("make", "action", "words"),
    [("complete", "cancel", "nothing to cancel"), ("start", "retry", "only a failed report")],
)
def test_a_button_that_was_pressed_too_late_shows_the_reason(
    client: FlaskClient, factory: ReportFactory, make: str, action: str, words: str
) -> None:
    task_id = getattr(factory, make)()
    form = fetch(client, task_id).get("form", id="report-actions").hidden_fields()

    response = client.post(f"/reports/{task_id}/{action}", data=form)

    assert response.status_code == 303
    assert words in fetch(client, task_id).get("p", class_="notice bad").text


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("token", [None, "", "wrong", "a stranger's"])
def test_without_the_right_token_nothing_is_changed(
    app: Flask, factory: ReportFactory, queue: ReportQueue, action: str, token: str | None
) -> None:
    client, stranger = app.test_client(), app.test_client()
    task_id = factory.fail() if action == "retry" else factory.start()
    fetch(client, task_id)
    fields = {} if token is None else {"csrf_token": token}
    if token == "a stranger's":
        fields = fetch(stranger, task_id).get("form", id="report-actions").hidden_fields()
    before = queue.find(task_id)

    response = client.post(f"/reports/{task_id}/{action}", data=fields, headers=HTML)

    assert (response.status_code, response.mimetype) == (400, "text/html")
    assert "Nothing was changed" in parse_html(response.text).text
    assert queue.find(task_id) == before


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_nothing_but_a_post_changes_anything(
    product_client: FlaskClient, factory: ReportFactory, queue: ReportQueue, action: str, method: str
) -> None:
    task_id = factory.fail() if action == "retry" else factory.start()
    form = fetch(product_client, task_id).get("form", id="report-actions").hidden_fields()
    before = queue.find(task_id)

    url = f"/reports/{task_id}/{action}"
    response = product_client.open(url, method=method, query_string=form, headers=HTML)

    assert response.status_code == 405
    assert queue.find(task_id) == before


@pytest.mark.parametrize(
    "task_id", [UNKNOWN_ID, UNKNOWN_ID.upper(), "7", "%00", "%ff", "<script>", "x" * 3000]
)
def test_an_unknown_report_has_no_page(client: FlaskClient, task_id: str) -> None:
    for query in ("", "?partial=1"):
        response = client.get(f"/reports/{task_id}{query}", headers=HTML)

        assert (response.status_code, response.mimetype) == (404, "text/html")
        assert parse_html(response.text).get("h1").text == "Not found"
        assert len(response.text) < 3000


@pytest.mark.parametrize("action", ACTIONS)
def test_an_unknown_report_cannot_be_changed(
    client: FlaskClient, factory: ReportFactory, action: str
) -> None:
    form = fetch(client, factory.request()).get("form", id="report-actions").hidden_fields()

    response = client.post(f"/reports/{UNKNOWN_ID}/{action}", data=form, headers=HTML)

    assert (response.status_code, response.mimetype) == (404, "text/html")


def test_there_are_no_other_actions(product_client: FlaskClient, factory: ReportFactory) -> None:
    task_id = factory.request()
    form = fetch(product_client, task_id).get("form", id="report-actions").hidden_fields()

    assert product_client.post(f"/reports/{task_id}/explode", data=form, headers=HTML).status_code == 404


@pytest.mark.parametrize("action", [None, *ACTIONS])
def test_with_the_broker_away_the_page_shows_an_error(
    client: FlaskClient,
    factory: ReportFactory,
    memory_server: fakeredis.FakeServer,
    queue: ReportQueue,
    action: str | None,
) -> None:
    task_id = factory.fail() if action == "retry" else factory.start()
    before = queue.find(task_id)
    form = fetch(client, task_id).get("form", id="report-actions").hidden_fields()
    memory_server.connected = False

    if action is None:
        response = client.get(f"/reports/{task_id}", headers=HTML)
    else:
        response = client.post(f"/reports/{task_id}/{action}", data=form, headers=HTML)

    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert "cannot be reached" in parse_html(response.text).text
    memory_server.connected = True
    assert queue.find(task_id) == before


def test_a_program_gets_an_error_as_problem_details(client: FlaskClient) -> None:
    response = client.get(f"/reports/{UNKNOWN_ID}", headers={"Accept": "application/json"})

    assert (response.status_code, response.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("make", ["request", "start", "complete", "fail"])
def test_ids_are_unique_and_headings_are_in_order(
    client: FlaskClient, factory: ReportFactory, make: str
) -> None:
    page = fetch(client, getattr(factory, make)())

    ids = [element.attributes["id"] for element in page.walk() if "id" in element.attributes]
    levels = [int(element.tag[1]) for element in page.walk() if element.tag in ("h1", "h2", "h3", "h4")]
    assert len(ids) == len(set(ids))
    assert {button.attributes["form"] for button in buttons(page).values()} <= set(ids)
    assert (levels[0], set(levels[1:])) == (1, {2})


def test_the_page_shows_omitted_rows_of_a_chart_and_charts_that_cannot_be_drawn(
    client: FlaskClient, factory: ReportFactory
) -> None:
    columns = [Column("number", Kind.INTEGER)]
    charts = [
        Chart("cut", "Days", {"mark": "bar"}, columns, [(1,)] * 6_000),
        Chart("bad", "Bad", {"mark": "bar"}, columns, [(1, 2)]),
        Chart("whole", "Whole", {"mark": "bar"}, columns, [(1,)]),
    ]
    document = describe(charts=charts)
    receipts = [
        Receipt(
            "svg",
            "image/svg+xml",
            0.1,
            cut=one.cut,
            name=f"chart-{one.name}{look}.svg",
            size=1,
            sha256="0" * 64,
        )
        for one in document.charts
        for look in ("", "-dark")
    ]
    outcome = Completed({"share": None}, artifacts=receipts, preview=write_preview(document, []))

    page = fetch(client, factory.complete(outcome=outcome))

    left_out = "The first 5,000 of 6,000 rows are drawn."
    failure = "The chart could not be drawn: a row has 2 values, and there are 1 columns."
    notices = [notice.text for notice in page.find_all("p", class_="notice cut")]
    assert notices[0] == f"This report is incomplete: Days: {left_out} Bad: {failure}"
    assert notices[1:3] == [left_out, failure]
    assert [image.attributes["alt"] for image in page.find_all("img")] == [
        f"Chart: Days. {left_out}",
        "Chart: Whole. The same data follow as a table.",
    ]
    assert "Bad" in [heading.text for heading in page.find_all("h2")]
    assert "100 of 5,000 rows in the chart." in page.text
    assert figures(page)["Share"] == "\u2013"


def test_a_preview_of_an_older_version_is_shown(client: FlaskClient, factory: ReportFactory) -> None:
    chart = {"name": "c", "title": "Days", "description": "", "columns": [], "rows": 1, "first": [[1]]}
    preview = {"units": {}, "parameters": [], "tables": [], "charts": [chart], "stages": []}
    outcome = Completed({}, preview=json.dumps(preview | {"charts": [{**chart, "first": []}]}))

    assert "Days" in fetch(client, factory.complete(outcome=outcome)).text
