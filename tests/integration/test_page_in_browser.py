"""The page as people use it, in Chromium, with a real server, broker and worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import StartWorkerOf
from reports_worker import ReportQueue
from reports_worker.queue.callback_outbox import Attempt
from tests.integration.serving import Complaints, Site, browse, serve
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browse() as browser:
        yield browser


@pytest.fixture
def factory(own_broker: Broker) -> Iterator[ReportFactory]:
    """Stands for the worker, so that a test decides when a report moves on."""
    with own_broker.client() as client:
        client.flushall()
        yield ReportFactory(client, ReportQueue(client, timeout=timedelta(hours=1)))


@pytest.fixture
def work(start_worker: StartWorkerOf, own_broker: Broker) -> Iterator[Callable[[str], None]]:
    """Start a worker whose reports take so many seconds; it ends with the test."""
    workers = []
    yield lambda seconds: workers.append(start_worker(own_broker.url, REPORTS_SIMULATED_SECONDS=seconds))
    for worker in workers:
        worker.end()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must give no cause for complaint."""
    page = browser.new_page()
    page.clock.install()
    complaints = Complaints(page)
    yield page
    assert complaints == []
    page.close()


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title, exact=True))


def ask_form(page: Page) -> Locator:
    return page.get_by_role("region", name="Request a report")


def tab_to(next_control: Locator) -> None:
    """Press Tab once, which must lead there: a browser hurried on by the next key has been seen to lose one."""
    next_control.page.keyboard.press("Tab")
    expect(next_control).to_be_focused()


def wait_for_status(page: Page, title: str, status: str) -> None:
    """Let the page's own timer pass until a card shows `status`."""

    def has_come() -> bool:
        page.clock.run_for(2000)
        return card(page, title).get_attribute("data-status") == status

    wait_until(has_come, what=f"{title!r} {status}")


def scrolls_sideways(page: Page) -> Any:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_with_the_keyboard_alone_a_report_is_asked_for_and_seen_through_to_its_end(
    site: Site, factory: ReportFactory, work: Callable[[str], None], page: Page
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

    work("2")
    wait_for_status(page, "Q4", "running")
    expect(card(page, "Q4").get_by_role("progressbar", name="Progress of Q4")).to_be_visible()
    wait_for_status(page, "Q4", "completed")

    expect(card(page, "Q4")).to_contain_text("Total items")
    expect(card(page, "Q4")).to_contain_text("completed in 2 s")
    assert page.evaluate("window.same")


def test_the_focus_stays_when_the_fields_of_another_type_come_late(site: Site, page: Page) -> None:
    fields: list[Route] = []

    def hold(route: Route) -> None:
        fields.append(route)

    page.goto(site.url)
    page.route("**/?*ask=*", hold)
    form = ask_form(page)
    form.get_by_label("Type").select_option("inventory")
    form.locator("summary").focus()
    wait_until(lambda: page.evaluate("true") and fields, what="the request for the fields")
    old = form.locator("summary").element_handle()

    fields[0].continue_()
    page.wait_for_function("old => !old.isConnected", arg=old)

    expect(form.locator("summary")).to_be_focused()


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


def test_what_is_typed_and_where_the_focus_is_stay_while_the_list_changes(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    page.goto(site.url)
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


def test_an_error_is_said_beside_its_field(site: Site, factory: ReportFactory, browser: Browser) -> None:
    assert factory.connection.keys() == []
    page = browser.new_page()  # the answer 400 is a cause for complaint in itself
    page.goto(site.url)
    ask_form(page).get_by_label("Title").fill("   ")

    page.get_by_role("button", name="Generate report").click()

    title = ask_form(page).get_by_role("textbox", name="Title")
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(title).to_have_accessible_description(
        "The title must have 1 to 200 characters. For example: Q4 2026 sales"
    )
    expect(title).to_have_value("   ")
    page.close()


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


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_nothing_is_wider_than_the_window(
    site: Site, factory: ReportFactory, browser: Browser, width: int, scheme: Any
) -> None:
    factory.request("W" * 200)
    factory.start("long " * 40, percent=50, stage="x" * 100)
    factory.complete("done", figures={"x" * 60: "y" * 200, "total_sales": 10**15})
    factory.fail("failed", error="z" * 400)
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)

    page.goto(site.url)

    expect(page.locator("li.card")).to_have_count(4)
    assert not scrolls_sideways(page)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 246, 250)", "dark": "rgb(18, 22, 29)"}[scheme]
    page.close()


def test_while_the_broker_is_away_the_page_says_so_and_comes_back_by_itself(
    site: Site, factory: ReportFactory, own_broker: Broker, browser: Browser
) -> None:
    factory.request("still here")
    page = browser.new_page()  # the answer 503 is a cause for complaint in itself
    page.clock.install()
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
    page.close()


def test_a_running_report_is_cancelled_by_its_button(
    site: Site, factory: ReportFactory, work: Callable[[str], None], page: Page
) -> None:
    factory.request("long")
    work("60")
    page.goto(site.url)
    wait_for_status(page, "long", "running")

    card(page, "long").get_by_role("button", name="Cancel long").click()

    expect(page.get_by_role("status")).to_have_text("Report is being cancelled")
    wait_for_status(page, "long", "failed")
    expect(card(page, "long").get_by_text("cancelled", exact=True)).to_be_visible()
    expect(card(page, "long").get_by_role("button", name="Retry long")).to_be_visible()


def test_a_failed_report_is_retried_by_its_button_and_its_page_follows_it_to_the_end(
    site: Site, factory: ReportFactory, work: Callable[[str], None], page: Page
) -> None:
    factory.fail("broken", error="It broke.")
    page.goto(site.url)
    card(page, "broken").get_by_role("button", name="Retry broken").click()
    expect(page.get_by_role("status")).to_have_text("Report generation started")
    card(page, "broken").get_by_role("link", name="broken").click()
    report = page.get_by_role("article")
    expect(report).to_have_attribute("data-status", "pending")
    expect(report.get_by_role("button", name="Cancel broken")).to_be_visible()
    page.evaluate("window.same = true")

    work("2")

    def has_come() -> bool:
        page.clock.run_for(2000)
        return report.get_attribute("data-status") == "completed"

    wait_until(has_come, what="the end on the page")
    expect(report.get_by_text("Total sales")).to_be_visible()
    expect(report.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.locator("[aria-live]")).to_have_text("broken: completed")
    assert page.evaluate("window.same")


def test_a_report_is_deleted_on_its_page_after_a_second_thought(
    site: Site, factory: ReportFactory, page: Page
) -> None:
    factory.complete("old")
    factory.complete("kept")
    page.goto(site.url)
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
    site: Site, factory: ReportFactory, page: Page
) -> None:
    task_id = factory.request("Q4", callback_url="https://hooks.example.com/x")
    page.goto(f"{site.url}/reports/{task_id}")
    expect(page.get_by_text("when the report ends")).to_be_visible()

    factory.begin(task_id)
    factory.end(task_id)
    factory.deliver(Attempt(204))
    page.clock.run_for(2000)

    expect(page.get_by_text("delivered", exact=True)).to_be_visible()


def test_a_report_is_run_again_from_its_page(site: Site, factory: ReportFactory, page: Page) -> None:
    task_id = factory.complete("Q4")
    page.goto(f"{site.url}/reports/{task_id}")

    page.get_by_role("button", name="Run again").click()

    expect(page.get_by_role("status")).to_have_text("Report generation started: Q4")
    expect(card(page, "Q4")).to_have_count(2)


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neither_a_report_nor_the_docs_are_wider_than_a_telephone(
    site: Site, factory: ReportFactory, browser: Browser, scheme: Any
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
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    complaints = Complaints(page)

    for path in (*(f"/reports/{task_id}" for task_id in ids), "/docs", "/?q=W&status=pending"):
        page.goto(site.url + path)
        expect(page.get_by_role("main")).to_be_visible()
        assert not scrolls_sideways(page), path

    assert complaints == []
    page.close()
