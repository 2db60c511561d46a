"""What a side can do for a measurement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil
from redis import Redis

from harness.client import is_healthy
from harness.processes import run_program
from harness.wait import wait_until

# Of the API, and slots of the worker: the same for both sides.
PROCESSES = 2

# Longer than a standby process waits before it starts the chart renderer.
_CALM_SECONDS = 0.75
_CALM_SHARE = 0.1

Submit = Callable[[int], Sequence[int]]


@dataclass(frozen=True)
class Server:
    """A server that runs and answers."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Stored:
    """Reports that were written past the API: their ids, and what its process must be told to know them."""

    ids: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)


class Side(Protocol):
    """One of the two that are compared."""

    @property
    def queue(self) -> str:
        """The key of the list in which tasks wait."""

    def serve(
        self, broker_url: str, *, processes: int = PROCESSES, stored: Stored | None = None
    ) -> AbstractContextManager[Server]:
        """Run the API with so many processes."""

    def work(
        self, broker_url: str, redis: Redis, *, seconds: int, marks: Path
    ) -> AbstractContextManager[Sequence[int]]:
        """Run a worker of two slots until it waits for tasks; give the ids of its processes.

        A report takes so many seconds; its first line appends the time to `marks`, in nanoseconds of
        CLOCK_MONOTONIC, which is the same for all processes.
        """

    def submit(self, broker_url: str) -> AbstractContextManager[Submit]:
        """Give a function that submits so many reports; it returns the time just before each."""

    def store(self, redis: Redis, folder: Path, *, count: int, completed: bool) -> Stored:
        """Write reports as the side itself does, many at once."""

    def is_waiting(self, redis: Redis) -> bool:
        """Tell whether the worker waits for tasks on every connection on which it does."""


@contextmanager
def run_server(command: Sequence[str | Path], *, folder: Path, port: int, **environ: str) -> Iterator[Server]:
    """Run a server until it answers and all its processes have come to rest."""
    with run_program(command, folder=folder, **environ) as process:
        wait_until(lambda: is_healthy(port), what=f"the answer of {command[0]}")
        wait_until(lambda: is_calm(process.pid), what=f"{command[0]} to come to rest")
        yield Server(process.pid, port)


def is_calm(*pids: int) -> bool:
    """Tell whether these programs, with all that they started, do next to nothing for a moment."""
    try:
        begin = _used_seconds(pids)
        time.sleep(_CALM_SECONDS)
        return _used_seconds(pids) - begin < _CALM_SHARE * _CALM_SECONDS
    except psutil.NoSuchProcess:
        # One of them ended between being listed and being read.
        return False


def _used_seconds(pids: Sequence[int]) -> float:
    parents = [psutil.Process(pid) for pid in pids]
    children = [child for parent in parents for child in parent.children(recursive=True)]
    times = [process.cpu_times() for process in (*parents, *children)]
    return float(sum(used.user + used.system for used in times))


def count_blocked(redis: Redis, command: str) -> int:
    """Count the connections that wait in this blocking command."""
    return sum(client["cmd"] == command and "b" in client["flags"] for client in redis.client_list())
