"""The file outside Redis in which every attempt at a report records itself.

One JSON object a line, each appended by a single write, so that lines of many processes never mix.
Times are seconds of CLOCK_MONOTONIC, which all processes of a machine share and no clock change moves.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Event(StrEnum):
    """What a line tells."""

    # of an attempt, by the process that makes it
    BEGIN = "begin"
    ALIVE = "alive"
    END = "end"
    PUBLISHED = "published"
    # of a worker: it has the report, and asks for its lease next
    TAKEN = "taken"
    # held at a gate, in the process of this pid
    HELD = "held"
    # by the suite: SIGSTOP and SIGCONT to this pid; the fault, to these pids or to all; its end
    STOPPED = "stopped"
    CONTINUED = "continued"
    STRUCK = "struck"
    MENDED = "mended"


@dataclass(frozen=True)
class Line:
    """One line; `pids` is for `STRUCK` alone, where none stands for all."""

    event: Event
    at: float
    task_id: str = ""
    attempt: str = ""
    pid: int = 0
    pids: Sequence[int] = ()


class AttemptFile:
    """The file, open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(
        self, event: Event, *, task_id: str = "", attempt: str = "", pid: int = 0, pids: Sequence[int] = ()
    ) -> None:
        line = Line(event, time.monotonic(), task_id, attempt, pid or os.getpid(), pids)
        given = {name: value for name, value in asdict(line).items() if value}
        os.write(self._descriptor, json.dumps(given).encode() + b"\n")

    def close(self) -> None:
        os.close(self._descriptor)


def read_lines(path: Path) -> list[Line]:
    """Read what stands there now, in the order of its time."""
    with path.open(encoding="ascii") as file:
        found = (json.loads(text) for text in file)
        lines = [Line(**{**values, "event": Event(values["event"])}) for values in found]
    return sorted(lines, key=lambda line: line.at)
