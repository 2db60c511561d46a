"""The product as a user starts it: `python -m apphost`, with Chromium in front of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.ports import free_port
from harness.wait import wait_until
from tests.integration.browsing import browser, page, window

ROOT = Path(__file__).parents[2]

__all__ = ["browser", "page", "window"]


class Product:
    """One apphost on free ports, with data of its own."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port, self.dashboard_port = free_port(), free_port()
        self.environ = {
            **os.environ,
            "APPHOST_DIR": str(folder),
            "PORT": str(self.port),
            "DASHBOARD_PORT": str(self.dashboard_port),
            **environ,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def dashboard_url(self) -> str:
        return f"http://localhost:{self.dashboard_port}"

    @property
    def token(self) -> str:
        return (self.folder / "dashboard-token").read_text(encoding="utf-8")

    def start(self, *command: str) -> Product:
        """Start it, and wait until it says that all is healthy."""
        self.folder.mkdir(exist_ok=True)
        log = self.folder / "output"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command or (sys.executable, "-m", "apphost"),
                cwd=ROOT, env=self.environ, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        wait_until(
            lambda: "All healthy" in log.read_text(encoding="utf-8"), seconds=60, what=f"all healthy in {log}"
        )
        return self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def descendants(self) -> list[psutil.Process]:
        assert self.process is not None
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def ask(self, title: str, kind: str = "sales") -> str:
        """Ask for a report by JSON; return its task id."""
        answer = self.call("POST", "/api/reports", {"title": title, "type": kind})
        return str(answer["task_id"])

    def report(self, task_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/api/reports/{task_id}"))

    def wait_for_status(self, task_id: str, *statuses: str, seconds: float = 40) -> dict[str, Any]:
        wait_until(
            lambda: self.report(task_id)["status"] in statuses,
            seconds=seconds,
            what=f"report {task_id} being {' or '.join(statuses)}",
        )
        return self.report(task_id)

    def call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def resources(self) -> dict[str, dict[str, Any]]:
        request = urllib.request.Request(
            f"{self.dashboard_url}/api/resources", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return {one["name"]: one for one in json.load(answer)["resources"]}


@pytest.fixture
def make_product(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Make products of a test's own, and end them with it."""
    made: list[Product] = []

    def make(**environ: str) -> Product:
        made.append(Product(tmp_path / f"product-{len(made)}", **environ))
        return made[-1]

    yield make
    for product in made:
        product.kill()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One product for the tests that do not harm it; a report takes three seconds."""
    product = Product(tmp_path_factory.mktemp("product"), REPORTS_SIMULATED_SECONDS="3")
    try:
        yield product.start()
    finally:
        product.kill()
