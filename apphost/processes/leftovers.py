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

from .private_files import write_private

# Start times are counted from the boot, whose time of day moves a little as the clock is set right.
_SAME_START_SECONDS = 2.0


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
    processes = list(psutil.process_iter())
    return [process for process in processes if any(_is_of(process, one) for one in remembered)]


def end(processes: Iterable[psutil.Process]) -> int:
    """Kill them and wait; return how many there were."""
    doomed = list(processes)
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(doomed, timeout=3)
    return len(doomed)


def _is_of(process: psutil.Process, started: StartedProcess) -> bool:
    """Tell whether it is that process, or a member of the session that it began."""
    try:
        if process.pid == started.pid:
            return _is_same(process, started)
        if os.getsid(process.pid) != started.pid:
            return False
        # Whatever a leader that is ours has in its session is ours. Without one the command must tell.
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
    """Compare the end of the command line: a script's begins with its interpreter."""
    return bool(process.cmdline()[-len(command) :] == list(command))
