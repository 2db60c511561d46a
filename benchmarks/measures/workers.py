"""A worker of two slots, what its reports write when they begin, and reports for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from benchmarks.bench import Bench
from benchmarks.targets import Side
from benchmarks.targets.port import Submit
from harness.wait import wait_until

_HELD = "held"
_REST_SECONDS = 0.05
_LONGEST_SECONDS = 120


@dataclass(frozen=True)
class Worker:
    """A worker that runs, and what there is to use and to see of it."""

    side: Side
    pids: Sequence[int]
    submit: Submit
    _redis: Redis
    _marks: Path

    def read_marks(self) -> list[int]:
        """Read when reports began, in nanoseconds."""
        return [int(line) for line in self._marks.read_text().splitlines()]

    def wait_for_marks(self, count: int) -> list[int]:
        what = f"{count} reports to begin"
        wait_until(lambda: len(self.read_marks()) >= count, what=what, seconds=_LONGEST_SECONDS)
        return self.read_marks()

    def wait_for_rest(self) -> None:
        """Wait until the worker waits for tasks, and a moment more."""
        wait_until(lambda: self.side.is_waiting(self._redis), what="the worker to wait for tasks")
        time.sleep(_REST_SECONDS)

    def release(self) -> None:
        """Put all reports that were held back before the waiting worker in one moment."""
        self._redis.rename(_HELD, self.side.queue)


@contextmanager
def run_worker(bench: Bench, side: Side, *, seconds: int, held: int = 0) -> Iterator[Worker]:
    """Run a worker whose reports take so many seconds; `held` are submitted, and held back until released."""
    bench.broker.flush()
    url = bench.broker.url
    marks = bench.folder / "marks"
    marks.write_bytes(b"")
    with bench.broker.client(seconds=None) as redis, side.submit(url) as submit:
        if held:
            submit(held)
            redis.rename(side.queue, _HELD)
        with side.work(url, redis, seconds=seconds, marks=marks) as pids:
            yield Worker(side, pids, submit, redis, marks)
