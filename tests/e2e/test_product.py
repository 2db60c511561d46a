"""The apphost starts everything; a report goes in and its figures come out, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from harness.ports import free_port
from harness.wait import wait_until
from tests.e2e.conftest import ROOT, Product
from tests.integration.browsing import TELEPHONE
from tests.integration.page_parts import scrolls_sideways

SALES = {"title", "type", "total_sales", "orders", "average_order_value", "top_product", "processing_time"}


def test_a_report_asked_for_by_form_is_seen_until_it_is_completed(product: Product, page: Page) -> None:
    page.goto(product.url)
    page.get_by_role("textbox", name="Title").fill("Q4 <b>2026</b> 売上")
    page.locator("form.ask-form").get_by_label("Type").select_option("sales")

    page.get_by_role("button", name="Generate report").click()

    card = page.get_by_role("listitem").filter(has_text="Q4 <b>2026</b> 売上")
    expect(page.get_by_role("status")).to_have_text("Report generation started: Q4 <b>2026</b> 売上")
    expect(card.get_by_text("running", exact=True)).to_be_visible(timeout=15_000)
    expect(card.get_by_role("progressbar")).to_be_visible()
    expect(card.get_by_text("completed", exact=True)).to_be_visible(timeout=20_000)
    expect(card.get_by_text("Total sales")).to_be_visible()


def test_a_report_asked_for_by_json_passes_through_its_stages(product: Product) -> None:
    task_id = product.ask("By JSON", "inventory")

    running = product.wait_for_status(task_id, "running")
    wait_until(lambda: product.report(task_id)["progress"]["percent"] >= 25, what="progress")
    completed = product.wait_for_status(task_id, "completed")

    assert running["progress"]["stage"] != "" or running["progress"]["percent"] == 0
    assert completed["result"].keys() == {
        "title", "type", "total_items", "low_stock_items", "out_of_stock", "total_value", "processing_time",
    }  # fmt: skip
    assert completed["result"]["processing_time"] == 3
    assert product.call("GET", "/api/reports")[0]["task_id"] >= task_id


def test_a_report_whose_worker_is_killed_is_made_by_another(product: Product) -> None:
    task_id = product.ask("Killed once")
    product.wait_for_status(task_id, "running")
    workers = {name: one["pid"] for name, one in product.resources().items() if name.startswith("worker")}

    for pid in workers.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: all(product.resources()[name]["pid"] not in (None, pid) for name, pid in workers.items()),
        what="new workers",
    )
    completed = product.wait_for_status(task_id, "completed", seconds=30)

    assert completed["result"].keys() == SALES
    assert all(product.resources()[name]["restarts"] >= 1 for name in workers)


def test_a_report_over_its_time_limit_fails_and_says_so_after_the_apphost_was_killed_too(
    make_product: Callable[..., Product], page: Page
) -> None:
    product = make_product(REPORTS_SIMULATED_SECONDS="30", REPORTS_TIMEOUT="1s").start()
    task_id = product.ask("Too long")
    failed = product.wait_for_status(task_id, "failed")
    descendants = product.descendants()

    product.kill()
    wait_until(lambda: not any(one.is_running() for one in descendants), seconds=5, what="no process left")
    product.start()
    page.goto(product.url)

    assert failed["reason"] == "timeout"
    assert "longer than the 1 s that it may run" in failed["error"]
    assert len(descendants) >= 6  # broker, gunicorn with two processes, two workers
    assert product.report(task_id) == failed
    expect(page.get_by_role("listitem").filter(has_text="Too long")).to_contain_text(failed["error"])


def test_a_stop_in_the_middle_of_a_report_takes_ten_seconds_at_most_and_loses_nothing(
    make_product: Callable[..., Product],
) -> None:
    product = make_product(REPORTS_SIMULATED_SECONDS="20", WORKERS="1").start()
    task_id = product.ask("Interrupted")
    product.wait_for_status(task_id, "running")
    descendants = product.descendants()

    product.process.terminate()  # type: ignore[union-attr]
    code = product.process.wait(10)  # type: ignore[union-attr]
    product.environ["REPORTS_SIMULATED_SECONDS"] = "0"
    product.start()

    assert code == 0
    assert not any(one.is_running() for one in descendants)
    assert product.wait_for_status(task_id, "completed")["result"].keys() == SALES


def test_the_api_can_be_run_by_hand_with_the_environment_that_the_apphost_prints(product: Product) -> None:
    port = free_port()
    exports = subprocess.run(
        [sys.executable, "-m", "apphost", "env"],
        cwd=ROOT, env=product.environ, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    script = f'{exports}\nexport PORT={port}\nexec "$0" -m reports_app'
    by_hand = Product(product.folder)
    by_hand.port = port

    with subprocess.Popen(["sh", "-c", script, sys.executable], cwd=ROOT, start_new_session=True) as api:
        try:
            wait_until(lambda: answers(by_hand), what="the API by hand")
            reports = by_hand.call("GET", "/api/reports?limit=1")
        finally:
            api.terminate()

    assert "export ConnectionStrings__broker=" in exports
    assert reports == product.call("GET", "/api/reports?limit=1")


def answers(product: Product) -> bool:
    try:
        return bool(product.call("GET", "/health") == {"status": "healthy", "service": "report-api"})
    except OSError:
        return False


def test_without_an_apphost_there_is_no_environment_to_print(make_product: Callable[..., Product]) -> None:
    product = make_product()

    done = subprocess.run(
        [sys.executable, "-m", "apphost", "env"],
        cwd=ROOT, env=product.environ, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"No apphost runs in {product.folder}: start one with `make run`.\n"


# The dashboard, as an operator uses it.


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


def test_the_dashboard_fits_a_phone(product: Product, page: Page) -> None:
    page.set_viewport_size(TELEPHONE)
    page.emulate_media(color_scheme="dark")

    log_in(page, product)

    assert not scrolls_sideways(page)


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
