"""The page of a report over real data, in Chromium: what it shows, to whom, and what can be done with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.wait import wait_until
from harness.worker_process import StartWorkerOf
from reports_worker import Report, Status, Submission
from reports_worker.demo.generator import Demo, write
from reports_worker.queue.callback_outbox import Attempt
from tests.integration.browsing import TELEPHONE
from tests.integration.data_places import DataPlace, open_place
from tests.integration.page_parts import card, scrolls_sideways
from tests.integration.serving import Site, serve
from tests.unit.reports_app.report_factory import ReportFactory

PARAMETERS = {
    "period": {"from": "2025-06-15", "to": "2026-06-14"},
    "granularity": "month",
    "top": 15,
}
FORMATS = ("csv", "xlsx", "svg")


@dataclass(frozen=True)
class Shown:
    """A completed sales report, and the site that shows it."""

    place: DataPlace
    site: Site
    report: Report

    @property
    def url(self) -> str:
        return f"{self.site.url}/reports/{self.report.task_id}"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("shown")
    write(Demo(2000, 1, "2026-06-14"), folder / "warehouse")
    with open_place(folder, start_worker, warehouse=str(folder / "warehouse")) as place:
        task_id = place.queue.submit(Submission("Sales of a year", "sales", PARAMETERS, formats=FORMATS))
        # Clocks that tests hurry on would ask another process for what it shared before.
        with serve(place.broker.url, folder / "site", WEB_CONCURRENCY="1", **place.environ) as site:
            report = place.queue.wait_for_end(task_id, seconds=60)
            assert report.status == Status.COMPLETED, report.error
            place.worker.end()
            yield Shown(place, site, report)


@pytest.fixture
def page(page: Page, shown: Shown) -> Page:
    """The report's page."""
    page.goto(shown.url)
    return page


@pytest.fixture
def factory(shown: Shown) -> ReportFactory:
    """Stands for the worker, so that a test decides when a report moves on."""
    return ReportFactory(shown.place.queue.connection, shown.place.queue)


def load_charts(page: Page) -> list[str]:
    """Have all charts loaded; return where from."""
    charts = page.get_by_role("img", name="Chart: ")
    expect(charts).to_have_count(2)
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
    wait_until(
        lambda: all(chart.evaluate("one => one.complete && one.naturalWidth > 0") for chart in charts.all()),
        what="charts that are drawn",
    )
    return [
        chart.evaluate("one => new URL(one.currentSrc).pathname.split('/').pop()") for chart in charts.all()
    ]


def test_it_shows_figures_charts_tables_parameters_and_timing(shown: Shown, page: Page) -> None:
    report = page.get_by_role("article")
    result = shown.report.result
    assert result is not None

    expect(report.get_by_role("heading", level=1)).to_have_text("Sales of a year")
    expect(report).to_contain_text(f"{result['total_sales']:,.2f} EUR")
    expect(report).to_contain_text("2025-06-15 to 2026-06-14")
    expect(report.get_by_role("definition").get_by_text("month", exact=True)).to_be_visible()
    for stage in ("Ranking products", "Writing CSV", "Waited", "Ran for", "Data as of"):
        expect(report.get_by_role("term").filter(has_text=stage).first).to_be_visible()
    assert load_charts(page) == ["chart-revenue.svg", "chart-top_products.svg"]
    products = report.get_by_role("region", name="Top products", exact=True)
    expect(products.get_by_role("columnheader", name="Revenue (EUR)")).to_be_visible()
    expect(products.get_by_role("row")).to_have_count(1 + 15)


def test_each_chart_is_there_as_a_table_too(page: Page) -> None:
    figure = page.get_by_role("figure").first
    table = figure.get_by_role("table")
    expect(table).to_be_hidden()

    figure.get_by_text("Chart data as a table").press("Enter")

    expect(table.get_by_role("columnheader", name="Revenue (EUR)")).to_be_visible()
    expect(table.get_by_role("row")).to_have_count(1 + 13)


def test_its_files_can_be_taken_away_and_are_what_their_receipts_say(
    shown: Shown, page: Page, tmp_path: Path
) -> None:
    files = page.get_by_role("listitem").filter(has=page.get_by_text("Receipt of"))
    expect(files).to_have_count(len(shown.report.artifacts))
    workbook = files.filter(has_text="report.xlsx")
    expect(workbook).to_contain_text("kB")
    expect(workbook).to_contain_text("complete")

    workbook.get_by_text("Receipt of").press("Enter")
    with page.expect_download() as download:
        workbook.get_by_role("link", name="report.xlsx").click()

    download.value.save_as(tmp_path / "taken")
    digest = hashlib.sha256((tmp_path / "taken").read_bytes()).hexdigest()
    expect(workbook.get_by_text(digest)).to_be_visible()
    assert download.value.suggested_filename.endswith(".xlsx")


def test_what_is_open_stays_open_and_the_focus_where_it_is_when_the_page_is_renewed(page: Page) -> None:
    summary = page.get_by_role("figure").first.get_by_text("Chart data as a table")
    summary.press("Enter")
    page.evaluate("document.querySelector('article').dataset.old = 'yes'")

    def is_renewed() -> bool:
        page.clock.run_for(2000)
        return page.get_by_role("article").get_attribute("data-old") is None

    wait_until(is_renewed, what="new markup")

    expect(page.get_by_role("figure").first.get_by_role("table")).to_be_visible()
    expect(summary).to_be_focused()


def test_it_is_run_again_and_edited_with_its_own_parameters(shown: Shown, page: Page) -> None:
    page.get_by_role("link", name="Edit and run").click()
    form = page.get_by_role("region", name="Request a report")
    expect(form.get_by_label("Type")).to_have_value("sales")
    expect(form.get_by_label("Top products")).to_have_value("15")
    expect(form.get_by_label("First day")).to_have_value("2025-06-15")
    form.get_by_label("Top products").fill("3")
    form.get_by_role("button", name="Generate report").click()
    expect(page.get_by_role("status")).to_contain_text("Report generation started")

    page.goto(shown.url)
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("status")).to_contain_text("Report generation started")

    again, edited = shown.place.queue.list(limit=2).reports
    assert again.parameters == shown.report.parameters
    assert again.formats == edited.formats == FORMATS
    assert edited.parameters == {**shown.report.parameters, "top": 3}


def test_on_a_dark_telephone_charts_are_dark_and_nothing_is_wider(shown: Shown, page: Page) -> None:
    page.set_viewport_size(TELEPHONE)
    page.emulate_media(color_scheme="dark")
    page.reload()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    assert load_charts(page) == ["chart-revenue-dark.svg", "chart-top_products-dark.svg"]
    for path in (shown.url, f"{shown.site.url}/?ask=sales", f"{shown.site.url}/types"):
        if path != shown.url:
            page.goto(path)
        assert not scrolls_sideways(page), path


def test_a_report_is_deleted_on_its_page_after_a_second_thought(
    shown: Shown, factory: ReportFactory, page: Page
) -> None:
    factory.complete("old")
    factory.complete("kept")
    page.goto(shown.site.url)
    card(page, "old").get_by_role("link", name="old").click()
    delete = page.get_by_role("button", name="Delete old")
    expect(delete).to_be_hidden()

    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(delete).to_be_visible()
    page.keyboard.press("Tab")
    expect(delete).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_have_text("Report deleted")
    expect(card(page, "kept")).to_be_visible()
    expect(card(page, "old")).to_have_count(0)


def test_the_delivery_of_a_callback_shows_without_a_reload(
    shown: Shown, factory: ReportFactory, page: Page
) -> None:
    task_id = factory.request("Q4", callback_url="https://hooks.example.com/x")
    page.goto(f"{shown.site.url}/reports/{task_id}")
    expect(page.get_by_text("when the report ends")).to_be_visible()

    factory.begin(task_id)
    factory.end(task_id)
    factory.deliver(Attempt(204))
    page.clock.run_for(2000)

    expect(page.get_by_text("delivered", exact=True)).to_be_visible()


def test_neither_a_report_nor_the_docs_are_wider_than_a_telephone(
    shown: Shown, factory: ReportFactory, page: Page
) -> None:
    ids = [
        factory.request("W" * 200),
        factory.start("long " * 40, percent=50, stage="x" * 100),
        factory.complete("done", figures={"x" * 60: "y" * 200, "total_sales": 10**15}),
        factory.fail("failed", error="z" * 400),
        factory.request("told", callback_url=f"https://hooks.example.com/{'u' * 300}"),
    ]
    factory.begin(ids[-1])
    factory.end(ids[-1])
    factory.deliver(Attempt(503, "e" * 200))
    page.set_viewport_size(TELEPHONE)

    for path in (*(f"/reports/{task_id}" for task_id in ids), "/docs", "/?q=W&status=pending"):
        page.goto(shown.site.url + path)
        expect(page.get_by_role("main")).to_be_visible()
        assert not scrolls_sideways(page), path
