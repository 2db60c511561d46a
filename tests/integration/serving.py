"""The product's server, started for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from harness.ports import free_port
from harness.wait import wait_until

ROOT = Path(__file__).parents[2]
SECRET = "a secret for tests alone"
# More than the longest that a request may wait for a report.
ANSWER_SECONDS = 40
SERVE = (sys.executable, "-m", "reports_app")


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Program:
    """A process of the product, with an environment of its own and its output in a file."""

    def __init__(self, command: Sequence[str], folder: Path, **environ: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.output = folder / "output"
        given = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_STATE_HOME": str(folder), **environ}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=given, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def text(self) -> str:
        """What it has written until now."""
        return self.output.read_text(errors="replace")

    def wait(self, seconds: float = 20) -> int:
        """Wait for its end; return its exit status."""
        return self.process.wait(seconds)

    def stop(self) -> None:
        """Ask it to end, and make it if it does not."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Site(Program):
    """A program that serves, and the requests that tests make of it."""

    def __init__(self, command: Sequence[str], folder: Path, *, port: int, **environ: str) -> None:
        super().__init__(command, folder, PORT=str(port), **environ)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def request(self, method: str, path: str, *, body: object = None, **headers: str) -> Answer:
        """Make a request; `body` is sent as JSON, bytes as they are. Errors are answers too."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def submit(self, title: str, report_type: str = "sales") -> str:
        """Ask for a report as a program does; return its id."""
        answer = self.request("POST", "/api/reports", body={"title": title, "type": report_type})
        assert answer.status == 202, answer.text
        return str(answer.json["task_id"])

    def status_of(self, task_id: str) -> str:
        return str(self.get(f"/api/reports/{task_id}").json["status"])

    def is_alive(self) -> bool:
        """Tell whether it answers yet; fail at once when it has ended instead."""
        assert self.process.poll() is None, self.text
        try:
            return self.get("/alive").status == 200
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def serve(broker_url: str, folder: Path, *, command: Sequence[str] = SERVE, **environ: str) -> Iterator[Site]:
    """Start a server and wait until it answers."""
    site = Site(command, folder, port=free_port(), BROKER_URI=broker_url, **environ)
    try:
        wait_until(site.is_alive, what="the server's answer")
        yield site
    finally:
        site.stop()
