"""The list of reports as people use it, in Chromium, with a real server, broker and worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import StartWorkerOf
from reports_worker import ReportQueue
from reports_worker.domain.report import Completed
from tests.integration.browsing import DESKTOP, TELEPHONE, Complaints, Window
from tests.integration.page_parts import ask_form, card, find_id, scrolls_sideways, wait_for_status
from tests.integration.serving import Site, serve
from tests.unit.reports_app.report_factory import ReportFactory

EVIL = "<script>window.evil=1</script><img src=x onerror=window.evil=1>"


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def site(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # Clocks that tests hurry on would ask another process for what it shared before.
    with serve(own_broker.url, tmp_path_factory.mktemp("site"), WEB_CONCURRENCY="1") as site:
        yield site


@pytest.fixture
def factory(own_broker: Broker) -> Iterator[ReportFactory]:
    """Stands for the worker, so that a test decides when a report moves on."""
    with own_broker.client() as client:
        client.flushall()
        yield ReportFactory(client, ReportQueue(client, timeout=timedelta(hours=1)))


def tab_to(next_control: Locator) -> None:
    """Press Tab once, which must lead there: a browser hurried on by the next key has been seen to lose one."""
    next_control.page.keyboard.press("Tab")
    expect(next_control).to_be_focused()


def test_with_the_keyboard_alone_a_report_is_asked_for_and_seen_through_to_its_end(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    factory.request("before it")
    page.goto(site.url)
    page.get_by_role("link", name="Background reports").focus()
    form = ask_form(page)
    tab_to(page.get_by_role("link", name="Types"))
    tab_to(page.get_by_role("link", name="API"))
    tab_to(form.get_by_label("Title"))
    page.keyboard.type("Q4")
    tab_to(form.get_by_label("Type"))
    page.keyboard.press("i")
    expect(form.get_by_label("Type")).to_have_value("inventory")
    tab_to(form.locator("summary"))
    tab_to(form.get_by_role("button", name="Generate report"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Report generation started: Q4")
    expect(card(page, "Q4")).to_have_attribute("data-status", "pending")
    page.evaluate("window.same = true")

    factory.begin(task_id := find_id(page, "Q4"))
    wait_for_status(page, "Q4", "running")
    expect(card(page, "Q4").get_by_role("progressbar", name="Progress of Q4")).to_be_visible()
    factory.end(task_id, Completed({"total_items": 7, "processing_time": 2}))
    wait_for_status(page, "Q4", "completed")

    expect(card(page, "Q4")).to_contain_text("Total items")
    expect(card(page, "Q4")).to_contain_text("completed in 2 s")
    assert page.evaluate("window.same")


def test_each_step_of_a_report_shows_without_a_reload(site: Site, factory: ReportFactory, page: Page) -> None:
    task_id = factory.request("Q4")
    page.goto(site.url)
    page.evaluate("window.same = true")

    factory.begin(task_id)
    factory.advance(task_id, percent=25, stage="reading orders")
    wait_for_status(page, "Q4", "running")
    expect(card(page, "Q4")).to_contain_text("25 % · reading orders")
    factory.advance(task_id, percent=75, stage="ranking products")
    page.clock.run_for(2000)
    expect(card(page, "Q4").get_by_role("progressbar")).to_have_attribute("value", "75")
    factory.end(task_id)
    wait_for_status(page, "Q4", "completed")

    expect(card(page, "Q4")).to_contain_text("35,420")
    expect(page.locator("[aria-live]")).to_have_text("Q4: completed")
    assert page.evaluate("window.same")


def test_a_report_that_others_asked_for_appears(site: Site, factory: ReportFactory, page: Page) -> None:
    page.goto(site.url)
    expect(page.get_by_text("No reports yet")).to_be_visible()

    factory.request("theirs")
    page.clock.run_for(2000)

    expect(card(page, "theirs")).to_be_visible()
    expect(page.get_by_text("1 in total")).to_be_visible()


def test_the_focus_stays_on_a_report_that_changes_or_moves_down(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    task_id = factory.request("mine")
    page.goto(site.url)
    card(page, "mine").get_by_role("link").focus()

    factory.begin(task_id)
    wait_for_status(page, "mine", "running")
    expect(card(page, "mine").get_by_role("link")).to_be_focused()
    factory.request("newer")
    page.clock.run_for(2000)
    expect(card(page, "newer")).to_be_visible()

    expect(card(page, "mine").get_by_role("link")).to_be_focused()


def test_the_focus_stays_on_the_pager(site: Site, factory: ReportFactory, page: Page) -> None:
    for number in range(21):
        factory.request(f"number {number}")
    page.goto(site.url)
    page.get_by_role("link", name="Older").focus()

    factory.request("newer")
    page.clock.run_for(2000)
    expect(card(page, "newer")).to_be_visible()

    expect(page.get_by_role("link", name="Older")).to_be_focused()


def test_the_links_lead_to_older_reports_and_back(site: Site, factory: ReportFactory, page: Page) -> None:
    for number in range(21):
        factory.request(f"number {number}")
    page.goto(site.url)

    page.get_by_role("link", name="Older").click()
    expect(card(page, "number 0")).to_be_visible()
    page.clock.run_for(2000)
    expect(page.locator("li.card")).to_have_count(1)
    page.get_by_role("link", name="Newest").click()

    expect(page.locator("li.card")).to_have_count(20)


def test_without_scripts_the_list_refreshes_and_what_is_typed_is_kept(
    site: Site, factory: ReportFactory, browser: Browser
) -> None:
    task_id = factory.request("Q4")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    complaints = Complaints(page)
    page.goto(site.url)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Waiting for a worker")).to_be_visible()
    expect(page.locator(".live")).to_be_hidden()
    ask_form(page).get_by_label("Title").fill("half a title")

    factory.begin(task_id)

    expect(frame.get_by_role("progressbar", name="Progress of Q4")).to_be_visible(timeout=10_000)
    expect(ask_form(page).get_by_label("Title")).to_have_value("half a title")
    page.get_by_role("button", name="Generate report").click()
    expect(page.get_by_role("status")).to_have_text("Report generation started: half a title")
    expect(frame.get_by_role("heading", name="half a title")).to_be_visible()
    assert complaints == []
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_markup_does_nothing(site: Site, factory: ReportFactory, browser: Browser, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.clock.install()
    complaints = Complaints(page)
    page.goto(site.url)
    ask_form(page).get_by_label("Title").fill(EVIL)
    page.get_by_role("button", name="Generate report").click()
    expect(page.get_by_role("status")).to_have_text(f"Report generation started: {EVIL}")

    factory.start(EVIL, percent=5, stage=EVIL)
    factory.complete(EVIL, figures={EVIL: EVIL})
    factory.fail(EVIL, error=EVIL)
    if scripts:
        page.clock.run_for(2000)
        expect(page.locator("li.card")).to_have_count(4)
        page.reload()
    place = page if scripts else page.frame_locator("iframe")
    page.goto(site.url)
    expect(place.get_by_role("heading", name=EVIL)).to_have_count(4)

    assert place.locator("img, li script").count() == 0
    if scripts:
        assert page.evaluate("window.evil") is None
    assert complaints == []
    context.close()


def test_every_control_has_a_name_and_headings_are_in_order(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    factory.complete("done")
    page.goto(site.url)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    search = page.get_by_role("search", name="Reports")
    for place, role, name in (
        (ask_form(page), "textbox", "Title"),
        (ask_form(page), "combobox", "Type"),
        (ask_form(page), "button", "Generate report"),
        (search, "searchbox", "Search titles"),
        (search, "combobox", "Status"),
        (search, "combobox", "Type"),
        (search, "button", "Filter"),
    ):
        expect(place.get_by_role(role, name=name, exact=True)).to_be_visible()  # type: ignore[arg-type]
    controls = page.locator("input:not([type=hidden]), select, button, textarea")
    assert controls.count() == 15
    page.get_by_text("Files and reuse").click()
    for name in ("csv", "parquet", "xlsx", "pdf", "svg", "png", "json"):
        expect(
            page.get_by_role("group", name="Files", exact=True).get_by_role("checkbox", name=name)
        ).to_be_checked()
    expect(page.get_by_role("combobox", name="If a matching report exists")).to_be_visible()
    levels = page.locator("h1, h2, h3").evaluate_all("found => found.map(heading => heading.tagName)")
    assert levels == ["H1", "H2", "H3"]
    expect(page.get_by_role("region", name="All reports")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(TELEPHONE, "dark"), (DESKTOP, "light")])
def test_nothing_is_wider_than_the_window(
    site: Site, factory: ReportFactory, page: Page, size: ViewportSize, scheme: Any
) -> None:
    factory.request("W" * 200)
    factory.start("long " * 40, percent=50, stage="x" * 100)
    factory.complete("done", figures={"x" * 60: "y" * 200, "total_sales": 10**15})
    factory.fail("failed", error="z" * 400)
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)

    page.goto(site.url)

    expect(page.locator("li.card")).to_have_count(4)
    assert not scrolls_sideways(page)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 246, 250)", "dark": "rgb(18, 22, 29)"}[scheme]


def test_while_the_broker_is_away_the_page_says_so_and_comes_back_by_itself(
    site: Site, factory: ReportFactory, own_broker: Broker, page: Page, window: Window
) -> None:
    factory.request("still here")
    page.goto(site.url)
    ask_form(page).get_by_label("Title").fill("half a title")

    own_broker.kill()
    page.clock.run_for(2000)
    expect(page.get_by_text("They are not lost")).to_be_visible()
    own_broker.start()

    def is_back() -> bool:
        page.clock.run_for(2000)
        return card(page, "still here").is_visible()

    wait_until(is_back)
    expect(ask_form(page).get_by_label("Title")).to_have_value("half a title")
    # The answers 503 are causes for complaint in themselves.
    assert all("503" in complaint for complaint in window.complaints)
    window.complaints.clear()


def test_a_running_report_is_cancelled_by_its_button(
    site: Site, factory: ReportFactory, start_worker: StartWorkerOf, own_broker: Broker, page: Page
) -> None:
    factory.request("long")
    worker = start_worker(own_broker.url, REPORTS_SIMULATED_SECONDS="60")
    page.goto(site.url)
    wait_for_status(page, "long", "running")

    card(page, "long").get_by_role("button", name="Cancel long").click()

    expect(page.get_by_role("status")).to_have_text("Report is being cancelled")
    wait_for_status(page, "long", "failed")
    expect(card(page, "long").get_by_text("cancelled", exact=True)).to_be_visible()
    expect(card(page, "long").get_by_role("button", name="Retry long")).to_be_visible()
    worker.end()


def test_a_failed_report_is_retried_by_its_button_and_its_page_follows_it_to_the_end(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    task_id = factory.fail("broken", error="It broke.")
    page.goto(site.url)
    card(page, "broken").get_by_role("button", name="Retry broken").click()
    expect(page.get_by_role("status")).to_have_text("Report generation started")
    card(page, "broken").get_by_role("link", name="broken").click()
    report = page.get_by_role("article")
    expect(report).to_have_attribute("data-status", "pending")
    expect(report.get_by_role("button", name="Cancel broken")).to_be_visible()
    page.evaluate("window.same = true")

    factory.begin(task_id)
    factory.end(task_id)

    def has_come() -> bool:
        page.clock.run_for(2000)
        return report.get_attribute("data-status") == "completed"

    wait_until(has_come, what="the end on the page")
    expect(report.get_by_text("Total sales")).to_be_visible()
    expect(report.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.locator("[aria-live]")).to_have_text("broken: completed")
    assert page.evaluate("window.same")


def test_reports_are_searched_for_and_the_list_stays_so(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    factory.fail("Q4 stock")
    factory.complete("Q4 sales")
    factory.fail("Q3 sales")
    page.goto(site.url)
    search = page.get_by_role("search", name="Reports")

    search.get_by_label("Search titles").fill("q4")
    search.get_by_label("Status").select_option("failed")
    search.get_by_role("button", name="Filter").click()
    expect(page.locator("li.card")).to_have_count(1)
    expect(card(page, "Q4 stock")).to_be_visible()
    factory.fail("Q4 users")
    factory.request("Q4 waits")
    page.clock.run_for(2000)

    expect(card(page, "Q4 users")).to_be_visible()
    expect(page.locator("li.card")).to_have_count(2)
    expect(search.get_by_label("Search titles")).to_have_value("q4")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("li.card")).to_have_count(5)


def test_the_focus_stays_on_a_button_while_its_report_changes(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    task_id = factory.start("mine", percent=1)
    for url in (site.url, f"{site.url}/reports/{task_id}"):
        page.goto(url)
        cancel = page.get_by_role("button", name="Cancel mine")
        cancel.focus()
        bar = page.get_by_role("progressbar", name="Progress of mine")
        percent = int(bar.get_attribute("value") or 0) + 20

        factory.advance(task_id, percent=percent, stage="ranking products")
        page.clock.run_for(2000)

        expect(bar).to_have_attribute("value", str(percent))
        expect(cancel).to_be_focused()


def test_without_scripts_the_buttons_work(site: Site, factory: ReportFactory, browser: Browser) -> None:
    factory.request("mine")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    complaints = Complaints(page)
    page.goto(site.url)

    page.frame_locator("iframe").get_by_role("button", name="Cancel mine").click()

    expect(page.get_by_role("status")).to_have_text("Report cancelled")
    page.frame_locator("iframe").get_by_role("link", name="mine").click()
    page.get_by_role("button", name="Retry mine").click()
    expect(page.get_by_role("status")).to_have_text("Report generation started")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    assert complaints == []
    context.close()
