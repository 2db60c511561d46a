"""The access log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_worker.domain.task_id import new_task_id
from tests.unit.reports_app.html_tree import parse_html
from tests.unit.reports_app.report_factory import ReportFactory


class Lines(logging.Handler):
    """Keeps the messages of a logger."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """The messages of the request log, in their order."""
    logger, handler = logging.getLogger("reports_app.middleware.access_log"), Lines()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler.messages
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_request_is_one_line_with_method_path_status_and_time(
    client: FlaskClient, lines: list[str]
) -> None:
    client.get("/api/reports")

    assert len(lines) == 1
    assert re.fullmatch(r"event=request method=GET path=/api/reports status=200 ms=\d+\.\d", lines[0])


def test_the_report_that_a_request_is_about_is_named(
    client: FlaskClient, factory: ReportFactory, lines: list[str]
) -> None:
    task_id = factory.request()

    client.post(f"/api/reports/{task_id}/cancel")
    submitted = client.post("/api/reports", json={"title": "Q4", "type": "sales"}).get_json()["task_id"]

    assert lines[0].endswith(f"status=202 {ms(lines[0])} task_id={task_id}")
    assert lines[1].endswith(f"status=202 {ms(lines[1])} task_id={submitted}")


def test_a_report_requested_by_form_is_named(client: FlaskClient, lines: list[str]) -> None:
    token = parse_html(client.get("/").text).form_to("/reports").hidden_fields()

    response = client.post("/reports", data=token | {"title": "Q4", "type": "sales"})

    assert lines[-1].startswith("event=request method=POST path=/reports status=303")
    assert lines[-1].endswith(f"task_id={response.headers['Location'][-36:]}")


@pytest.mark.parametrize("path", ["/health", "/alive", "/static/css/reports.css", "/reports?partial=1"])
def test_periodic_requests_leave_no_line(client: FlaskClient, lines: list[str], path: str) -> None:
    client.get(path).close()

    assert lines == []


def test_a_status_request_leaves_a_line_only_if_it_fails(
    client: FlaskClient, factory: ReportFactory, lines: list[str]
) -> None:
    task_id, unknown = factory.request(), new_task_id()

    client.get(f"/api/reports/{task_id}")
    client.get(f"/api/reports/{task_id}?wait=0")
    client.get(f"/api/reports/{unknown}")

    assert [re.findall(r"path=\S+ status=\d+", line)[0] for line in lines] == [
        f"path=/api/reports/{unknown} status=404"
    ]


def test_but_it_does_when_something_is_wrong(
    client: FlaskClient, memory_server: fakeredis.FakeServer, lines: list[str]
) -> None:
    memory_server.connected = False

    client.get("/health")
    client.get("/reports?partial=1")
    client.get("/static/nothing")

    assert [re.findall(r"path=\S+ status=\d+", line)[0] for line in lines] == [
        "path=/health status=503",
        "path=/reports status=503",
        "path=/static/nothing status=404",
    ]


@pytest.mark.parametrize(
    "task_id",
    ["%0aevent=fake", "%0d%0aevent=fake", "a event=fake", 'a" event=fake', "%1b[31mred", "%e2%80%a8x", "%ff"],
)
def test_no_client_can_forge_a_line(client: FlaskClient, lines: list[str], task_id: str) -> None:
    client.get(f"/api/reports/{task_id}")

    assert len(lines) == 1
    assert re.fullmatch(r"[\x20-\x7e]+", lines[0])
    assert lines[0].count(" ") == 5
    assert " event=fake" not in lines[0]


def test_a_title_is_never_part_of_a_line(client: FlaskClient, lines: list[str]) -> None:
    client.post("/api/reports?title=hush", json={"title": "hush", "type": "sales"})

    assert "hush" not in lines[0]


def test_a_request_that_the_host_application_handled_is_logged_without_a_time(
    app: Flask, client: FlaskClient, lines: list[str]
) -> None:
    app.before_request(lambda: ("log in first", 401))

    client.get(f"/api/reports/{(task_id := new_task_id())}")

    assert lines == [f"event=request method=GET path=/api/reports/{task_id} status=401 task_id={task_id}"]


def ms(line: str) -> str:
    match = re.search(r"ms=\d+\.\d", line)
    assert match
    return match[0]
