"""Take the pictures of README and docs: `make screenshots`. Needs Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from reports_worker.demo.generator import Demo, write

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).with_name("images")
FONTS = ROOT / "reports_worker" / "formats" / "fonts"
PORT, DASHBOARD_PORT = 8017, 18817
REPORTS = [
    ("Stock in Brno", "inventory"),
    ("Who came in October", "users"),
    ("Q3 2026 sales", "sales"),
    ("Stock in Oslo", "inventory"),
    ("Q4 2026 sales", "sales"),
    ("Who left in November", "users"),
]
DEMO = Demo(50_000, 1, "2026-06-30")
A_YEAR = {"period": {"from": "2025-07-01", "to": "2026-06-30"}}
SECONDS_TO_START = 60


def main() -> None:
    """Run the product on its own ports, request reports, and take the pictures; then again over demo data."""
    program = shutil.which("chromium") or sys.exit("Chromium is not installed: apt install chromium")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        # All scripts are there, whatever fonts the machine has.
        (folder / "fonts").symlink_to(FONTS)
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"], env={**os.environ, "XDG_DATA_HOME": name}
        )
        with running(folder / "simulated", REPORTS_SIMULATED_SECONDS="4"):
            for title, kind in REPORTS:
                ask(title, kind)
            take_page(browser)
            take_dashboard(browser, (folder / "simulated" / "dashboard-token").read_text(encoding="utf-8"))
        write(DEMO, folder / "demo")
        with running(folder / "real", ConnectionStrings__warehouse=str(folder / "demo")):
            take_report(browser, ask("Sales from July 2025 to June 2026", "sales", A_YEAR))


@contextmanager
def running(folder: Path, **environ: str) -> Iterator[None]:
    """Start the product, and stop it."""
    places = {"APPHOST_DIR": str(folder), "PORT": str(PORT), "DASHBOARD_PORT": str(DASHBOARD_PORT)}
    command = [sys.executable, "-m", "apphost"]
    given = {**os.environ, **places, **environ}
    with subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL) as apphost:
        try:
            wait_for_api()
            if apphost.poll() is not None:
                sys.exit(f"Something else serves at port {PORT} or {DASHBOARD_PORT}.")
            yield
        finally:
            apphost.terminate()


def wait_for_api() -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://localhost:{PORT}/health", timeout=1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("The API did not come up: run `make run` to see why.")


def ask(title: str, kind: str, parameters: Mapping[str, object] | None = None) -> str:
    """Ask for a report; return its task id."""
    body = json.dumps({"title": title, "type": kind, "parameters": parameters or {}}).encode()
    request = urllib.request.Request(
        f"http://localhost:{PORT}/api/reports", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["task_id"])


def take_page(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1180, "height": 760})
    page.goto(f"http://localhost:{PORT}/")
    page.get_by_text("completed", exact=True).nth(1).wait_for()
    page.screenshot(path=IMAGES / "page.png")


def take_dashboard(browser: Browser, token: str) -> None:
    page = browser.new_page(viewport={"width": 1180, "height": 760})
    page.goto(f"http://localhost:{DASHBOARD_PORT}/login?t={token}")
    page.get_by_text("Running (Healthy)").nth(3).wait_for()
    page.screenshot(path=IMAGES / "dashboard.png")


def take_report(browser: Browser, task_id: str) -> None:
    page = browser.new_page(viewport={"width": 1180, "height": 1500})
    page.goto(f"http://localhost:{PORT}/reports/{task_id}")
    page.get_by_role("heading", name="Files").wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / "report.png")


if __name__ == "__main__":
    main()
