"""The command line as a user's processes run it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.wait import wait_until

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "reports_worker")


def make_environ(url: str) -> dict[str, str]:
    """An environment in which `python` is that of the tests and the broker is at `url`."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return {"PATH": path, "ConnectionStrings__broker": url, "COLUMNS": "80"}


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=make_environ(url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class Running:
    """A command that runs; `errors` is what standard error has shown until now."""

    process: subprocess.Popen[str]
    _chunks: list[bytes] = field(default_factory=list)

    @property
    def errors(self) -> str:
        return b"".join(self._chunks).decode()

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.errors, what=f"{text!r} on standard error")

    def wait(self) -> tuple[int, str]:
        """Its exit code and standard output."""
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output


@contextmanager
def start(url: str, *arguments: str, on_terminal: bool = False) -> Iterator[Running]:
    """Start a command whose standard error is a pipe, or a terminal."""
    ours, theirs = pty.openpty() if on_terminal else os.pipe()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=make_environ(url),
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        start_new_session=True,
    )
    os.close(theirs)
    running = Running(process)
    reader = threading.Thread(target=_read, args=(ours, running._chunks))
    reader.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        reader.join()
        os.close(ours)


def _read(source: int, chunks: list[bytes]) -> None:
    # A terminal whose other side is closed raises instead of coming to its end.
    with suppress(OSError):
        while chunk := os.read(source, 4096):
            chunks.append(chunk)
