"""What a run that crashed left behind, remembered in a file and ended by the next run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from .files import write_private

# The kernel counts start times in ticks of 10 ms.
_SAME_START_SECONDS = 0.05


@dataclass(frozen=True)
class StartedProcess:
    """A process that was started here; pid, start time and command together name it for ever."""

    name: str
    pid: int
    start_time: float
    command: tuple[str, ...]


def remember(path: Path, processes: Iterable[StartedProcess]) -> None:
    """Write down what runs now."""
    write_private(path, json.dumps([asdict(process) for process in processes]))


def find_leftovers(path: Path) -> list[psutil.Process]:
    """Find the processes of the run before that still live, and their sessions' other members.

    A pid that belongs to another program by now is left alone.
    """
    if not path.is_file():
        return []
    try:
        remembered = [StartedProcess(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError):
        # Written by another version: what it cannot tell, it cannot ask us to end.
        return []
    return [process for process in psutil.process_iter() if any(_is_of(process, one) for one in remembered)]


def end(processes: Iterable[psutil.Process]) -> int:
    """Kill them and wait; return how many there were."""
    doomed = list(processes)
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(doomed, timeout=3)
    return len(doomed)


def _is_of(process: psutil.Process, started: StartedProcess) -> bool:
    """A session keeps its leader's pid from being used again, so a member's command is proof enough."""
    try:
        if process.pid != started.pid and os.getsid(process.pid) != started.pid:
            return False
        if process.cmdline() != list(started.command):
            return False
        age = process.create_time() - started.start_time
        return bool(abs(age) < _SAME_START_SECONDS if process.pid == started.pid else age >= 0)
    except (psutil.Error, ProcessLookupError):
        return False
