"""Real apphosts that run small programs of a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from harness.ports import free_port
from harness.wait import wait_until

ROOT = Path(__file__).parents[3]

# Serves /health, logs events in the file `journal`, and obeys files beside it.
PROGRAM = """
import http.server, os, pathlib, signal, socket, sys, threading

name, here = sys.argv[1], pathlib.Path(__file__).parent

def note(text):
    with (here / "journal").open("a") as journal:
        journal.write(f"{name} {text}\\n")

def broker_is_up():
    if "BROKER_PORT" not in os.environ:
        return "unknown"
    with socket.socket() as probe:
        return "up" if probe.connect_ex(("127.0.0.1", int(os.environ["BROKER_PORT"]))) == 0 else "down"

def end(*_):
    note(f"stops, broker {broker_is_up()}")
    os._exit(0)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        (here / f"asked-{os.getpid()}").touch()
        self.send_response(503 if (here / "sick").exists() else 200)
        self.end_headers()
    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "stubborn" else end)
note(f"starts, broker {broker_is_up()}")
print(f"hello from {name}", "password", os.environ.get("BROKER_PASSWORD"), flush=True)
if name == "crashing":
    sys.exit("cannot go on")
if "PORT" in os.environ:
    server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
threading.Event().wait()
"""


class Host:
    """An apphost with a model of the test's own, in a folder of its own."""

    def __init__(self, folder: Path, model: str, **environ: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.dashboard_port = free_port()
        self.output = folder / "output"
        self.environ = {
            **os.environ,
            "APPHOST_DIR": str(self.state),
            "DASHBOARD_PORT": str(self.dashboard_port),
            "PYTHONPATH": str(ROOT),
            **environ,
        }
        (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
        (folder / "host.py").write_text(_script(model), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Host:
        with self.output.open("ab") as output:
            return self.start_on(output)

    def start_on(self, console: IO[bytes] | int) -> Host:
        """Start it with this for stdout and stderr."""
        self.process = subprocess.Popen(
            [sys.executable, "host.py"],
            cwd=self.folder, env=self.environ, stdout=console, stderr=console, start_new_session=True,
        )  # fmt: skip
        return self

    def start_healthy(self) -> Host:
        self.start()
        self.wait_for_text("All healthy")
        return self

    def end(self) -> None:
        """Whatever a test left is ended, by its folder on the command line or as our child."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait(self, seconds: float = 15) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def read_output(self) -> str:
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""

    def wait_for_text(self, text: str, *, seconds: float = 30) -> None:
        wait_until(lambda: text in self.read_output(), seconds=seconds, what=f"{text!r} in {self.output}")

    def journal(self) -> list[str]:
        path = self.folder / "journal"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def children(self) -> list[psutil.Process]:
        return list(psutil.Process(self.pid).children(recursive=True))

    def token(self) -> str:
        return (self.state / "dashboard-token").read_text(encoding="utf-8")

    def call(self, method: str, path: str) -> Any:
        request = urllib.request.Request(
            f"http://localhost:{self.dashboard_port}{path}",
            method=method,
            headers={"Authorization": f"Bearer {self.token()}"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def resource(self, name: str) -> dict[str, Any]:
        found = [one for one in self.call("GET", "/api/resources")["resources"] if one["name"] == name]
        return dict(found[0])

    def wait_for_state(self, name: str, state: str, *, seconds: float = 30) -> dict[str, Any]:
        def find() -> dict[str, Any] | None:
            try:
                resource = self.resource(name)
            except (urllib.error.URLError, FileNotFoundError):
                return None
            return resource if resource["state"] == state else None

        return wait_until(find, seconds=seconds, what=f"{name} in the state {state}") or {}


def _script(model: str) -> str:
    return "\n".join(
        [
            "import sys",
            "from apphost import create_builder",
            "from apphost.errors import ApphostError",
            "builder = create_builder()",
            "def program(name):",
            "    return builder.add_executable(name, sys.executable, '.', ['program.py', name])",
            textwrap.dedent(model),
            "try:",
            "    builder.build().run()",
            "except ApphostError as error:",
            "    sys.exit(str(error))",
        ]
    )


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Make apphosts, and stop them after the test."""
    hosts: list[Host] = []

    def make(model: str, *, folder: str = "host", **environ: str) -> Host:
        (tmp_path / folder).mkdir(exist_ok=True)
        hosts.append(Host(tmp_path / folder, model, **environ))
        return hosts[-1]

    yield make
    for host in hosts:
        host.end()
