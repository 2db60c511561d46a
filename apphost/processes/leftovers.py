"""Processes that a crashed run has left behind: stored in a file, and killed by the next run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from .private_files import write_private

# Start times are relative to the boot, and adjustments of the clock move the time of the boot a little.
_SAME_START_SECONDS = 2.0


@dataclass(frozen=True)
class StartedProcess:
    """A process that the apphost has started; pid, start time and command together identify the process."""

    name: str
    pid: int
    start_time: float
    command: tuple[str, ...]


def remember(path: Path, processes: Iterable[StartedProcess]) -> None:
    """Store the running processes."""
    write_private(path, json.dumps([asdict(process) for process in processes]))


def find_leftovers(path: Path) -> list[psutil.Process]:
    """Find the processes of the previous run that still run, and the other members of their sessions.

    A process with a reused pid is excluded.
    """
    if not path.is_file():
        return []
    try:
        remembered = [StartedProcess(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError):
        # Another version wrote the file in an unknown form, which identifies no process.
        return []
    processes = list(psutil.process_iter())
    return [process for process in processes if any(_is_of(process, one) for one in remembered)]


def end(processes: Iterable[psutil.Process]) -> int:
    """Kill the processes and wait for their end; return their number."""
    killed = list(processes)
    for process in killed:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(killed, timeout=3)
    return len(killed)


def _is_of(process: psutil.Process, started: StartedProcess) -> bool:
    """Whether `process` is the started process, or a member of its session."""
    try:
        if process.pid == started.pid:
            return _is_same(process, started)
        if os.getsid(process.pid) != started.pid:
            return False
        # All members of the session of a started leader belong to the apphost. Without a leader, compare the command.
        if psutil.pid_exists(started.pid):
            return _is_same(psutil.Process(started.pid), started)
        is_younger = process.create_time() > started.start_time - _SAME_START_SECONDS
        return is_younger and _runs(process, started.command)
    except (psutil.Error, ProcessLookupError):
        return False


def _is_same(process: psutil.Process, started: StartedProcess) -> bool:
    is_of_that_time = abs(process.create_time() - started.start_time) < _SAME_START_SECONDS
    return bool(is_of_that_time and _runs(process, started.command))


def _runs(process: psutil.Process, command: tuple[str, ...]) -> bool:
    """Compare the end of the command line: the command line of a script begins with the interpreter."""
    return bool(process.cmdline()[-len(command) :] == list(command))
