"""rq-dashboard in Chromium: it shows real reports, and what users wrote stays text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import StartWorkerOf
from reports_worker import ReportQueue
from tests.integration.serving import Site, serve
from tests.unit.reports_app.report_factory import ReportFactory

EVIL = "<script>window.evil=1</script><img src=x onerror=window.evil=1>"
STATES = {"queued": "request", "started": "start", "finished": "complete", "failed": "fail"}
CHANGES = ("Requeue", "Requeue All", "Delete", "Empty queue", "Compact")


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def site(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve(own_broker.url, tmp_path_factory.mktemp("site"), WEB_CONCURRENCY="1") as site:
        yield site


@pytest.fixture
def factory(own_broker: Broker) -> Iterator[ReportFactory]:
    with own_broker.client() as client:
        client.flushall()
        yield ReportFactory(client, ReportQueue(client, timeout=timedelta(hours=1)))


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that must run nothing that users wrote."""
    yield page
    assert page.evaluate("window.evil") is None
    assert page.locator("img[src=x]").count() == 0


def make_evil(factory: ReportFactory, state: str) -> str:
    """Leave a report with markup wherever a user's or a type's words can stand."""
    task_id: str = getattr(factory, state)(EVIL)
    fields: dict[Any, Any] = {"error": EVIL, "stage": EVIL}
    fields["summary"] = json.dumps({EVIL: [EVIL, {"a": EVIL}], "b": EVIL})
    factory.connection.hset(f"rq:job:{task_id}", mapping=fields)
    return task_id


def assert_no_buttons(page: Page) -> None:
    for name in CHANGES:
        expect(page.get_by_text(name, exact=True).filter(visible=True)).to_have_count(0)


@pytest.mark.parametrize(("registry", "state"), STATES.items())
def test_a_report_is_shown_as_text_and_without_a_button_that_changes_it(
    site: Site, factory: ReportFactory, page: Page, registry: str, state: str
) -> None:
    task_id = make_evil(factory, state)

    page.goto(f"{site.url}/rq/0/view/jobs/reports/{registry}/8/asc/1")
    expect(page.get_by_role("row").filter(has_text=f"sales: {EVIL}")).to_be_visible()
    assert_no_buttons(page)
    page.get_by_role("link", name=task_id).click()

    expect(page.get_by_text(f"sales: {EVIL}")).to_be_visible()
    expect(page.locator("pre.exc_info")).to_have_text(EVIL)
    expect(page.locator("pre").first).to_contain_text(EVIL)
    assert_no_buttons(page)


def test_the_overview_counts_the_reports(site: Site, factory: ReportFactory, page: Page) -> None:
    for state in STATES.values():
        make_evil(factory, state)

    page.goto(f"{site.url}/rq/")

    expect(page.get_by_role("row").filter(has_text="reports")).to_be_visible()


@pytest.mark.usefixtures("factory")
def test_a_worker_shows_what_it_makes(
    site: Site, page: Page, own_broker: Broker, start_worker: StartWorkerOf
) -> None:
    task_id = site.submit(EVIL)
    start_worker(own_broker.url, REPORTS_SIMULATED_SECONDS="60")
    wait_until(lambda: site.status_of(task_id) == "running")

    page.goto(f"{site.url}/rq/0/view/workers")
    page.get_by_role("link", name="make_report").click()

    expect(page.get_by_role("paragraph").filter(has_text="Status")).to_contain_text("started")
    expect(page.get_by_text(f"sales: {EVIL}")).to_be_visible()
