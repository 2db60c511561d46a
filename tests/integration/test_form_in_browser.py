"""The form that requests a report, in Chromium, with scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from redis import Redis
from werkzeug.serving import WSGIRequestHandler, make_server

from harness.wait import wait_until
from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import TYPES, ReportQueue
from tests.every_kind import EVERY_KIND
from tests.integration.browsing import Window
from tests.integration.page_parts import ask_form, card
from tests.unit.reports_app.report_factory import ReportFactory


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def queue(redis: Redis) -> ReportQueue:
    return ReportQueue(redis, timeout=timedelta(hours=1))


@pytest.fixture
def address(queue: ReportQueue) -> Iterator[str]:
    """A server with a type that has parameters; the product's own have none without a warehouse."""
    app = Flask("host", static_folder=None)
    app.config.update(SECRET_KEY="a secret for tests alone")
    app.register_blueprint(create_blueprint(services=Services(queue, {**TYPES, "everything": EVERY_KIND})))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def factory(queue: ReportQueue) -> ReportFactory:
    return ReportFactory(queue.connection, queue)


def test_the_fields_of_another_type_come_without_a_reload(
    address: str, queue: ReportQueue, page: Page
) -> None:
    page.goto(address)
    form = ask_form(page)
    page.evaluate("window.same = true")
    form.get_by_label("Title").fill("Q4")
    form.get_by_label("Type").focus()
    expect(form.get_by_label("Products")).to_have_count(0)

    form.get_by_label("Type").select_option("everything")

    expect(form.get_by_label("Products")).to_have_value("10")
    expect(form.get_by_label("Type")).to_be_focused()
    assert page.evaluate("window.same")
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

    # Days that are typed take the place of the name, and the other way round.
    period = form.get_by_role("group", name="Period")
    period.get_by_label("First day").fill("2026-04-01")
    expect(period.get_by_label("Period")).to_have_value("")
    period.get_by_label("Period").select_option("last_month")
    expect(period.get_by_label("First day")).to_have_value("")
    period.get_by_label("First day").fill("2026-04-01")
    period.get_by_label("Last day").fill("2026-06-30")

    form.get_by_role("checkbox", name="Telephone").check()
    form.get_by_label("Products").fill("7")
    form.get_by_role("button", name="Generate report").click()

    expect(page.get_by_role("status")).to_have_text("Report generation started: Q4")
    (report,) = queue.list().reports
    assert (report.parameters["top"], report.parameters["channels"]) == (7, ["web", "phone"])
    assert report.parameters["period"] == {"from": "2026-04-01", "to": "2026-06-30"}

    form.get_by_label("Type").select_option("users")
    form.get_by_label("Type").select_option("everything")
    form.get_by_label("Type").select_option("sales")
    expect(form.get_by_label("Products")).to_have_count(0)


def test_the_focus_stays_when_the_fields_of_another_type_come_late(address: str, page: Page) -> None:
    fields: list[Route] = []

    def hold(route: Route) -> None:
        fields.append(route)

    page.goto(address)
    page.route("**/?*ask=*", hold)
    form = ask_form(page)
    form.get_by_label("Type").select_option("inventory")
    form.locator("summary").focus()
    wait_until(lambda: page.evaluate("true") and fields, what="the request for the fields")
    old = form.locator("summary").element_handle()

    fields[0].continue_()
    page.wait_for_function("old => !old.isConnected", arg=old)

    expect(form.locator("summary")).to_be_focused()


def test_what_is_typed_and_where_the_focus_is_stay_while_the_list_changes(
    address: str, factory: ReportFactory, page: Page
) -> None:
    page.goto(address)
    ask_form(page).get_by_label("Title").press_sequentially("half a ti")
    ask_form(page).get_by_label("Type").select_option("users")
    ask_form(page).get_by_label("Title").focus()

    factory.request("theirs")
    page.clock.run_for(2000)
    expect(card(page, "theirs")).to_be_visible()
    page.keyboard.type("tle")

    expect(ask_form(page).get_by_label("Title")).to_have_value("half a title")
    expect(ask_form(page).get_by_label("Title")).to_be_focused()
    expect(ask_form(page).get_by_label("Type")).to_have_value("users")


def test_an_error_is_said_beside_its_field(address: str, page: Page, window: Window) -> None:
    page.goto(address)
    ask_form(page).get_by_label("Title").fill("   ")

    page.get_by_role("button", name="Generate report").click()

    title = ask_form(page).get_by_role("textbox", name="Title")
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(title).to_have_accessible_description(
        "The title must have 1 to 200 characters. For example: Q4 2026 sales"
    )
    expect(title).to_have_value("   ")
    # The answer 400 is a cause for complaint in itself.
    (complaint,) = window.complaints
    assert "400" in complaint
    window.complaints.clear()
