"""The apphost's dashboard, as an operator uses it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from harness.wait import wait_until
from tests.e2e.conftest import Product


def log_in(page: Page, product: Product) -> None:
    page.goto(f"{product.dashboard_url}/login?t={product.token}")


def test_resources_requests_and_tasks_are_shown_as_they_change(product: Product, page: Page) -> None:
    log_in(page, product)
    resources = page.get_by_role("region", name="Resources")
    expect(resources.get_by_role("row").filter(has_text="api")).to_contain_text("Running (Healthy)")

    task_id = product.ask("Watched")

    requests = page.get_by_role("region", name="Requests").get_by_role("row").filter(has_text=task_id[-12:])
    tasks = page.get_by_role("region", name="Tasks").get_by_role("row").filter(has_text=task_id[-12:])
    expect(requests.first).to_contain_text("POST")
    expect(tasks.filter(has_text="reading orders")).to_be_visible()
    expect(tasks.filter(has_text="completed")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("queue length")).to_be_visible()
    expect(page.get_by_text("2 of 2 replicas are ready")).to_be_visible()


def test_a_console_is_followed(product: Product, page: Page) -> None:
    log_in(page, product)
    page.get_by_role("link", name="Log of api").click()
    console = page.get_by_role("log")

    task_id = product.ask("Followed")

    expect(console).to_contain_text(f"task_id={task_id}")


def test_a_worker_is_restarted_by_its_button(product: Product, page: Page) -> None:
    log_in(page, product)
    before = product.resources()["worker-2"]["pid"]

    page.get_by_role("button", name="Restart worker-2").click()

    wait_until(lambda: product.resources()["worker-2"]["pid"] not in (None, before), what="another process")
    resources = page.get_by_role("region", name="Resources")
    expect(resources.get_by_role("row").filter(has_text="worker-2")).to_contain_text(
        "Running", timeout=10_000
    )


def test_the_dashboard_fits_a_phone(product: Product, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()

    log_in(page, product)
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    context.close()

    assert widths[0] <= widths[1]


def test_the_dashboard_works_without_scripts(product: Product, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(product.dashboard_url)
    page.get_by_label("Token").fill(product.token)
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("row").filter(has_text="broker")).to_contain_text("Running (Healthy)")
    page.get_by_role("button", name="Restart api").click()
    expect(page).to_have_url(f"{product.dashboard_url}/")
    context.close()
