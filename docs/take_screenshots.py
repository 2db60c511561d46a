"""Take the pictures of the README: `make screenshots`. Needs Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).with_name("images")
PORT, DASHBOARD_PORT = 8017, 18817
REPORTS = [
    ("Stock in Brno", "inventory"),
    ("Who came in October", "users"),
    ("Q3 2026 sales", "sales"),
    ("Stock in Oslo", "inventory"),
    ("Q4 2026 sales", "sales"),
    ("Who left in November", "users"),
]
SECONDS_TO_START = 60


def main() -> None:
    """Run the product on ports of its own, ask for reports, and look at it."""
    program = shutil.which("chromium") or sys.exit("Chromium is not installed: apt install chromium")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        places = {"APPHOST_DIR": folder, "PORT": str(PORT), "DASHBOARD_PORT": str(DASHBOARD_PORT)}
        environ = {**os.environ, **places, "REPORTS_SIMULATED_SECONDS": "4"}
        with subprocess.Popen(
            [sys.executable, "-m", "apphost"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL
        ) as apphost:
            try:
                wait_for_api()
                for title, kind in REPORTS:
                    ask(title, kind)
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                    token = (Path(folder) / "dashboard-token").read_text(encoding="utf-8")
                    take_pictures(browser, token)
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


def ask(title: str, kind: str) -> None:
    body = json.dumps({"title": title, "type": kind}).encode()
    request = urllib.request.Request(
        f"http://localhost:{PORT}/api/reports", body, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=5)


def take_pictures(browser: Browser, token: str) -> None:
    page = browser.new_page(viewport={"width": 1180, "height": 760})
    page.goto(f"http://localhost:{PORT}/")
    page.get_by_text("completed", exact=True).nth(1).wait_for()
    page.screenshot(path=IMAGES / "page.png")
    page.goto(f"http://localhost:{DASHBOARD_PORT}/login?t={token}")
    page.get_by_text("Running (Healthy)").nth(3).wait_for()
    page.screenshot(path=IMAGES / "dashboard.png")


if __name__ == "__main__":
    main()
