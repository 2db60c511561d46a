"""Requesting a report with the form."""

from __future__ import annotations

import io
from typing import Any

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from reports_worker import FORMATS, ReportQueue
from tests.unit.reports_app.html_tree import Element, parse_html

LIMIT = 64 * 1024


def open_form(client: FlaskClient, path: str = "/") -> dict[str, str]:
    """Open the page as a browser does; return its hidden fields."""
    return parse_html(client.get(path).text).form_to("/reports").hidden_fields()


def send(client: FlaskClient, **fields: str) -> Any:
    return client.post("/reports", data=open_form(client) | fields)


def titles_in(queue: ReportQueue) -> list[str]:
    return [report.title for report in queue.list().reports]


def messages_for(page: Element, control: Element) -> str:
    """The texts that describe a control to a screen reader."""
    ids = control.attributes["aria-describedby"].split()
    return " ".join(element.text for element in page.walk() if element.attributes.get("id") in ids)


def test_each_field_has_a_label(client: FlaskClient) -> None:
    page = parse_html(client.get("/").text)

    form = page.form_to("/reports")
    labels = {label.attributes["for"]: label.text for label in form.find_all("label")}
    boxes = {f"formats-{number}": name for number, name in enumerate(FORMATS)}
    assert labels == {
        "title": "Title",
        "type": "Type",
        **boxes,
        "max_age": "If a matching report exists",
    }
    assert form.get("fieldset").get("legend").text == "Files"
    assert page.get("input", id="title").attributes["name"] == "title"
    assert "required" in page.get("input", id="title").attributes
    assert "Q4 2026" in messages_for(page, page.get("input", id="title"))
    assert form.attributes["method"] == "post"


def test_each_type_is_an_option_and_the_first_is_chosen(client: FlaskClient) -> None:
    form = parse_html(client.get("/").text).form_to("/reports")
    options = form.get("select", name="type").find_all("option")

    assert [(option.attributes["value"], option.text) for option in options] == [
        ("sales", "Sales"),
        ("inventory", "Inventory"),
        ("users", "Users"),
    ]


def test_a_post_queues_the_report_and_sends_the_browser_to_it(
    client: FlaskClient, queue: ReportQueue
) -> None:
    response = send(client, title="  Q4 sales ", type="inventory")

    report = queue.list().reports[0]
    assert (report.title, report.type) == ("Q4 sales", "inventory")
    assert response.status_code == 303
    assert response.headers["Location"] == f"/#report-{report.task_id}"


def test_the_next_page_confirms_the_request_once(client: FlaskClient) -> None:
    send(client, title="Q4 sales", type="sales")

    first, second = parse_html(client.get("/").text), parse_html(client.get("/").text)

    assert first.get("p", role="status").text == "Report generation started: Q4 sales"
    assert second.find_all("p", role="status") == []


def test_neither_the_live_part_nor_the_frame_removes_the_message(client: FlaskClient) -> None:
    send(client, title="Q4 sales", type="sales")

    client.get("/reports?partial=1")
    client.get("/reports")

    assert parse_html(client.get("/").text).find_all("p", role="status")


@pytest.mark.parametrize(
    ("fields", "at_fault", "words"),
    [
        ({"title": "", "type": "sales"}, "title", "1 to 200 characters"),
        ({"title": "   ", "type": "sales"}, "title", "1 to 200 characters"),
        ({"title": "x" * 201, "type": "sales"}, "title", "1 to 200 characters"),
        ({"title": "a\nb", "type": "sales"}, "title", "line breaks"),
        ({"title": "a\x00b", "type": "sales"}, "title", "control characters"),
        ({"type": "sales"}, "title", "required"),
        ({"title": "Q4", "type": "weather"}, "type", "sales, inventory, users"),
        ({"title": "Q4"}, "type", "one of the report types"),
    ],
)
def test_an_error_is_shown_beside_its_field(
    client: FlaskClient, queue: ReportQueue, fields: dict[str, str], at_fault: str, words: str
) -> None:
    response = send(client, **fields)

    page = parse_html(response.text)
    controls = {"title": page.get("input", id="title"), "type": page.get("select", id="type")}
    assert response.status_code == 400
    assert controls[at_fault].attributes["aria-invalid"] == "true"
    assert words in messages_for(page, controls[at_fault])
    assert [name for name, control in controls.items() if "aria-invalid" in control.attributes] == [at_fault]
    assert titles_in(queue) == []


def test_the_input_is_kept_beside_an_error(client: FlaskClient) -> None:
    response = send(client, title='"quoted" <b> ' + "x" * 200, type="users")

    page = parse_html(response.text)
    assert page.get("input", name="title").attributes["value"] == '"quoted" <b> ' + "x" * 200
    options = page.get("select", id="type").find_all("option")
    assert [option.text for option in options if "selected" in option.attributes] == ["Users"]


@pytest.mark.parametrize("token", [None, "", "wrong", "IjEi.aGVsbG8.c2lnbmF0dXJl", "ü"])
def test_without_the_right_token_nothing_is_queued_and_the_text_is_kept(
    client: FlaskClient, queue: ReportQueue, token: str | None
) -> None:
    open_form(client)
    fields = {"title": "Q4 sales", "type": "users"} | ({} if token is None else {"csrf_token": token})

    response = client.post("/reports", data=fields)

    page = parse_html(response.text)
    assert response.status_code == 400
    assert "send the form again" in page.get("p", role="alert").text
    assert page.get("input", name="title").attributes["value"] == "Q4 sales"
    assert titles_in(queue) == []


def test_a_token_of_another_session_is_wrong(app: Flask, queue: ReportQueue) -> None:
    strangers = open_form(app.test_client())
    client = app.test_client()
    open_form(client)

    response = client.post("/reports", data=strangers | {"title": "Q4", "type": "sales"})

    assert response.status_code == 400
    assert titles_in(queue) == []


def test_a_form_that_was_refused_for_its_token_can_be_sent_again(
    client: FlaskClient, queue: ReportQueue
) -> None:
    refused = client.post("/reports", data={"title": "Q4 sales", "type": "sales"})
    token = parse_html(refused.text).form_to("/reports").hidden_fields()

    response = client.post("/reports", data=token | {"title": "Q4 sales", "type": "sales"})

    assert response.status_code == 303
    assert titles_in(queue) == ["Q4 sales"]


def test_a_form_over_the_limit_is_refused_as_a_page(client: FlaskClient, queue: ReportQueue) -> None:
    response = client.post(
        "/reports",
        data=open_form(client) | {"title": "x" * LIMIT, "type": "sales"},
        headers={"Accept": "text/html"},
    )

    assert (response.status_code, response.mimetype) == (413, "text/html")
    assert parse_html(response.text).get("h1").text == "The request was refused"
    assert titles_in(queue) == []


def test_a_form_of_unknown_length_has_the_same_limit(client: FlaskClient, queue: ReportQueue) -> None:
    token = open_form(client)["csrf_token"]
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    statuses = []

    for rest in ("", "&rest=" + "x" * LIMIT):
        body = io.BytesIO(f"csrf_token={token}&title=Q4&type=sales{rest}".encode())
        form = "application/x-www-form-urlencoded"
        response = client.post("/reports", input_stream=body, content_type=form, environ_overrides=chunked)
        statuses.append(response.status_code)

    assert statuses == [303, 413]
    assert titles_in(queue) == ["Q4"]


def test_a_multipart_form_is_accepted_too(client: FlaskClient, queue: ReportQueue) -> None:
    fields = open_form(client) | {"title": "Q4", "type": "sales"}

    response = client.post("/reports", data=fields, content_type="multipart/form-data")

    assert response.status_code == 303
    assert titles_in(queue) == ["Q4"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data", "x"])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"title=%ff%fe&type=%00", b'{"title": 1}', b"[1]"])
def test_a_body_that_is_no_form_is_a_form_with_errors(
    client: FlaskClient, data: bytes, content_type: str
) -> None:
    response = client.post("/reports", data=data, content_type=content_type, headers={"Accept": "text/html"})

    assert response.status_code == 400
    assert parse_html(response.text).get("h1").text == "Request a report"


def test_with_the_broker_away_the_form_is_shown_again_with_its_input(
    client: FlaskClient, memory_server: fakeredis.FakeServer, queue: ReportQueue
) -> None:
    token = open_form(client)
    memory_server.connected = False

    response = client.post("/reports", data=token | {"title": "Q4 sales", "type": "users"})

    page = parse_html(response.text)
    assert response.status_code == 503
    assert "cannot be reached" in page.get("p", role="alert").text
    assert page.get("input", name="title").attributes["value"] == "Q4 sales"
    memory_server.connected = True
    assert client.post("/reports", data=token | {"title": "Q4 sales", "type": "users"}).status_code == 303
    assert titles_in(queue) == ["Q4 sales"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_queues_nothing(client: FlaskClient, queue: ReportQueue, method: str) -> None:
    token = open_form(client)

    client.open("/reports", method=method, query_string=token | {"title": "Q4", "type": "sales"})
    client.open("/", method=method, query_string=token | {"title": "Q4", "type": "sales"})

    assert titles_in(queue) == []
