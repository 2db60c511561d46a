"""Programs that the measurements start, and surely end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from .errors import BenchmarkError

START_SECONDS = 30
STOP_SECONDS = 10

# A program of either side gets its settings from us alone.
_OURS_ALONE = ("REPORTS_", "RQ_", "CELERY_", "GUNICORN_", "UVICORN_", "WEB_CONCURRENCY", "BROKER_URI")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def run_program(
    command: Sequence[str | Path], *, folder: Path, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and end it and all it started; what it prints goes nowhere."""
    with Path(os.devnull).open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_clean(os.environ) | environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(_OURS_ALONE)}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the program to end, then end what is left of it and of all that it started."""
    family = _find_family(process.pid)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for member in family:
        if member.is_running() and member.pid != process.pid:
            member.send_signal(signal.SIGKILL)


def _find_family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def measure_memory(*pids: int) -> float:
    """Measure the memory of programs with all that they started: MB, shared pages by their share (PSS)."""
    family = [process for pid in pids for process in _find_family(pid)]
    return float(sum(process.memory_full_info().pss for process in family)) / 1e6


def wait_until(condition: Callable[[], object], *, what: str, seconds: float = START_SECONDS) -> None:
    """Wait for a condition; raise BenchmarkError, naming `what`, when it does not come true in time."""
    never, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"Waited {seconds:g} s in vain for {what}.")
        never.wait(0.02)
