"""While the queue is paused, pages and API show the pause, and all other functions continue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from harness.wait import wait_until
from reports_worker import ReportQueue
from reports_worker.broker import keys
from tests.unit.reports_app.html_tree import parse_html
from tests.unit.reports_app.report_factory import ReportFactory

NOTICE = "The queue is paused"
WAITS = "Requested reports wait until the queue is resumed."


def read_text(client: FlaskClient, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return parse_html(response.text).text


@pytest.mark.parametrize("view", ["/", "/reports", "/reports?partial=1", "/?status=failed"])
def test_the_list_shows_that_the_queue_is_paused_and_until_when(
    client: FlaskClient, queue: ReportQueue, factory: ReportFactory, view: str
) -> None:
    factory.request()
    assert NOTICE not in read_text(client, view)

    pause = queue.pause(timedelta(hours=1))

    assert pause.since is not None
    assert pause.until is not None
    since, until = (f"{time:%Y-%m-%d %H:%M} UTC" for time in (pause.since, pause.until))
    notice = f"{NOTICE} since {since}, until {until} at the latest. {WAITS}"
    # Open pages share a list for a second.
    wait_until(lambda: notice in read_text(client, view), what="the notice")
    queue.resume()
    wait_until(lambda: NOTICE not in read_text(client, view), what="the end of the notice")


def test_an_empty_list_shows_the_pause_too_and_a_pause_without_end_has_no_end(
    client: FlaskClient, queue: ReportQueue
) -> None:
    queue.pause()

    text = read_text(client, "/")

    assert f"{NOTICE} since " in text
    assert "at the latest" not in text


def test_a_pause_without_a_time_is_shown_without_a_time(client: FlaskClient, factory: ReportFactory) -> None:
    factory.connection.set(keys.SUSPENDED, 1)

    assert f"{NOTICE}. {WAITS}" in read_text(client, "/")


@pytest.mark.parametrize("part", ["", "?partial=1"])
def test_only_a_report_that_waits_is_shown_with_the_pause(
    client: FlaskClient, queue: ReportQueue, factory: ReportFactory, part: str
) -> None:
    pending, running, failed = factory.request(), factory.start(), factory.fail()

    queue.pause()

    shown = [NOTICE in read_text(client, f"/reports/{one}{part}") for one in (pending, running, failed)]
    assert shown == [True, False, False]


def test_health_reports_the_pause_and_is_healthy(client: FlaskClient, queue: ReportQueue) -> None:
    well = {"status": "healthy", "service": "report-api"}
    before = client.get("/health").get_json()

    queue.pause(timedelta(hours=1))
    paused = client.get("/health")

    assert before == well
    body = paused.get_json()
    assert paused.status_code == 200
    assert body == well | {"paused": body["paused"]}
    assert body["paused"].keys() == {"since", "until"}
    assert body["paused"]["until"].endswith("Z")


def test_reports_can_be_requested_and_cancelled_during_a_pause(
    client: FlaskClient, queue: ReportQueue
) -> None:
    queue.pause()

    requested = client.post("/api/reports", json={"title": "Q4", "type": "sales"})
    cancelled = client.post(f"{requested.headers['Location']}/cancel")

    assert (requested.status_code, cancelled.status_code) == (202, 202)
