"""Mends what no worker's death explains: reports and the places where they stand that disagree.

What is ours changes a report and its places together. RQ's own commands, other programs and people do not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from . import clock, keys, registry
from .scripts import SharedScripts

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 5.0
# Errors that make up for each other in the counts are found by a look at everything.
LOOK_AT_EVERYTHING_EVERY_SECONDS = 600.0
LOCK = timedelta(seconds=10)

Outcome = tuple[str, str]


class Reconciler:
    """Compares counts every few seconds, and looks at every report where they disagree twice.

    Costs one round trip every `LOOK_EVERY_SECONDS`. Many may run at once: every mend is one script that looks
    again, and one of them at a time looks at everything. Nothing here blocks the broker for long.
    """

    def __init__(self, connection: Redis, *, retention: timedelta) -> None:
        self._connection = connection
        self._run_script = SharedScripts(connection, retention=retention)
        self._was_uneven = False
        self._looked_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_SECONDS):
            try:
                self.look()
            except RedisError as error:
                log.warning("cannot compare reports and queue: %s", error)

    def look(self) -> None:
        """Compare the counts; look at everything where they disagreed the last time, too."""
        is_even = self.is_even()
        is_due = time.monotonic() - self._looked_at >= LOOK_AT_EVERYTHING_EVERY_SECONDS
        if is_due or (self._was_uneven and not is_even):
            for task_id, outcome in self.reconcile():
                log.warning("task %s: reports and queue disagreed, now it is %s", task_id, outcome)
        self._was_uneven = not is_even

    def is_even(self) -> bool:
        """Tell whether each report stands in one place. One that is just being started stands in two."""
        counts = cast(list[int], self._run_script("census"))
        registered, waiting, taken, running, ended, to_go = counts
        return registered == waiting + taken + running + ended and ended == to_go

    def reconcile(self) -> Iterator[Outcome]:
        """Look at every report there is, unless another does; yield each id that was mended, with how."""
        if not self._connection.set(keys.RECONCILING, "1", nx=True, ex=LOCK):
            return
        try:
            registry.rebuild(self._connection)
            queued = Counter(self._read_queue())
            waiting = set[str]()
            for ids in self._read_registry():
                found, outcomes = cast(tuple[list[bytes], list[bytes]], self._audit(ids))
                waiting.update(task_id.decode() for task_id in found)
                yield from _pairs(outcomes)
            suspects = [task_id for task_id, times in queued.items() if times > 1 or task_id not in waiting]
            suspects += waiting - queued.keys()
            for begin in range(0, len(suspects), registry.PAGE):
                mended = self._run_script("mend_queue", *suspects[begin : begin + registry.PAGE])
                yield from _pairs(cast(list[bytes], mended))
            self._looked_at = time.monotonic()
        finally:
            self._connection.delete(keys.RECONCILING)

    def _audit(self, ids: Sequence[str]) -> object:
        self._connection.expire(keys.RECONCILING, LOCK)
        return self._run_script("audit", clock.to_text(clock.now()), *ids)

    def _read_queue(self) -> Iterator[str]:
        """Read what waits; what moves meanwhile may be missed or come twice, so a mend looks again."""
        for name in (keys.QUEUED, keys.INTERMEDIATE):
            begin = 0
            while page := self._connection.lrange(name, begin, begin + registry.PAGE - 1):
                yield from (member.decode() for member in cast(list[bytes], page))
                begin += registry.PAGE

    def _read_registry(self) -> Iterator[list[str]]:
        last = None
        while True:
            ids, _, _ = registry.read_ids(self._connection, limit=registry.PAGE, before=last)
            if not ids:
                return
            yield ids
            last = ids[-1]


def _pairs(flat: Sequence[bytes]) -> Iterator[Outcome]:
    for position in range(0, len(flat), 2):
        yield flat[position].decode(), flat[position + 1].decode()
