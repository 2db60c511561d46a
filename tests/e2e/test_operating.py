"""What an operator does with the product: a worker that stands still, a drain, and a pause."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import Page, expect

from harness.wait import wait_until
from tests.e2e.conftest import Product
from tests.integration.command_line_runs import run


def run_command(product: Product, *arguments: str) -> str:
    """Run a command of the worker's with the environment that the apphost keeps for it."""
    environment = json.loads((product.folder / "environment.json").read_text())["worker"]
    done = run(environment["BROKER_URI"], *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def find_maker(product: Product) -> str:
    """The name of the worker that makes a report now."""

    def find() -> str:
        workers = [one for one in product.resources().values() if one["resource"] == "worker" and one["pid"]]
        return next((one["name"] for one in workers if psutil.Process(one["pid"]).children()), "")

    return wait_until(find, what="a worker that makes a report")


# The tests of the apphost's supervision, of workers that stop, of drains and of pauses have a part of it each.
@pytest.mark.wide
def test_the_report_of_a_worker_that_stands_still_is_made_by_another_which_drains_then(
    make_product: Callable[..., Product], page: Page
) -> None:
    product = make_product(REPORTS_SIMULATED_SECONDS="300").start()
    output = product.folder / "output"
    task_id = product.ask("Stands still")
    first = find_maker(product)
    # By then it has answered, too, that it lives.
    wait_until(lambda: product.report(task_id)["progress"]["percent"] >= 1, what="some progress")
    pid = product.resources()[first]["pid"]

    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: product.resources()[first]["restarts"] == 1, seconds=60, what="its restart")
    second = wait_until(lambda: find_maker(product), what="another that makes it")

    assert product.report(task_id)["status"] in ("running", "pending")
    assert f"{first} does not live, so it is killed" in output.read_text()
    # What drains must be known to the broker.
    wait_until(lambda: output.read_text().count("Listening on reports") == 3, what="a third worker")
    run_command(product, "pause")
    waiting = product.ask("Waits")
    drained = run_command(product, "drain", "--all").splitlines()
    product.call("POST", f"/api/reports/{task_id}/cancel")
    wait_until(
        lambda: {product.resources()[name]["state"] for name in ("worker-1", "worker-2")} == {"Finished"},
        what="two workers that have finished",
    )

    assert second
    # The one that was killed stands in Redis for a minute.
    assert len(drained) in (2, 3)
    assert product.report(waiting)["status"] == "pending"
    page.goto(f"{product.url}/reports/{waiting}")
    expect(page.get_by_text("The queue is paused since")).to_be_visible()
    notice = "broker: the queue is paused since"
    wait_until(lambda: notice in output.read_text(), what="the notice on the console")
