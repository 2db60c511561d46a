"""Mends what no worker's death explains: reports and the places where they stand that disagree.

What is ours changes a report and its places together. RQ's own commands, other programs and people do not.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast

from redis import Redis
from redis.exceptions import ResponseError

from reports_worker.broker import keys
from reports_worker.broker.errors import is_wrong_type
from reports_worker.broker.lock import take_lock
from reports_worker.lib import clock
from reports_worker.lib.periodic_thread import PeriodicThread
from reports_worker.queue import report_index as registry
from reports_worker.queue.schema import MIGRATIONS, Migration, Schema
from reports_worker.queue.scripts import SharedScripts
from reports_worker.queue.stored_entries import decode_id, read_outcomes, set_aside

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 5.0
# Errors that make up for each other in the counts are found by a look at everything.
LOOK_AT_EVERYTHING_EVERY_SECONDS = 600.0
LOCK_SECONDS = 10

Outcome = tuple[str, str]


class Reconciler:
    """Compares counts every few seconds, and looks at every report where they disagree twice.

    Costs one round trip every `LOOK_EVERY_SECONDS`. Many may run at once: every mend is one script that looks
    again, and one of them at a time looks at everything. Nothing here blocks the broker for long.
    """

    def __init__(
        self, connection: Redis, *, retention: timedelta, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        self._connection = connection
        self._run_script = SharedScripts(connection, retention=retention)
        self._schema = Schema(connection, migrations)
        self._was_uneven = False
        self._looked_at = time.monotonic()
        self.thread = PeriodicThread("reconciler", LOOK_EVERY_SECONDS, self.look)

    def look(self) -> None:
        """Compare the counts; look at everything where they disagreed the last time, too.

        Raises redis-py's errors; that of a key of the wrong type says which key it is.
        """
        try:
            self._look()
        except ResponseError as error:
            if is_wrong_type(error):
                raise ResponseError(f"{error}. {self._describe_wrong_types()}") from error
            raise

    def _look(self) -> None:
        is_even = self.is_even()
        is_due = time.monotonic() - self._looked_at >= LOOK_AT_EVERYTHING_EVERY_SECONDS
        if is_due or (self._was_uneven and not is_even):
            for task_id, outcome in self.reconcile():
                log.warning("task %s: reports and queue disagreed, now it is %s", task_id, outcome)
        self._was_uneven = not is_even
        self._schema.migrate()

    def is_even(self) -> bool:
        """Tell whether each report stands in one place. One that is just being started stands in two."""
        counts = cast(list[int], self._run_script("count"))
        registered, waiting, taken, running, ended, to_go = counts
        return registered == waiting + taken + running + ended and ended == to_go

    def reconcile(self) -> Iterator[Outcome]:
        """Look at every report there is, unless another does; yield each id that was mended, with how."""
        if not take_lock(self._connection, keys.RECONCILING, LOCK_SECONDS):
            return
        try:
            registry.rebuild(self._connection)
            queued = Counter(self._read_queue())
            waiting = set[bytes]()
            for ids in self._read_registry():
                found, outcomes = cast(tuple[list[bytes], list[bytes]], self._audit(ids))
                waiting.update(found)
                yield from read_outcomes(outcomes)
            suspects = [entry for entry, times in queued.items() if times > 1 or entry not in waiting]
            suspects += waiting - queued.keys()
            for begin in range(0, len(suspects), registry.PAGE):
                mended = self._run_script("repair_queue", *suspects[begin : begin + registry.PAGE])
                yield from read_outcomes(cast(list[bytes], mended))
            self._looked_at = time.monotonic()
        finally:
            self._connection.delete(keys.RECONCILING)

    def _audit(self, ids: Sequence[str]) -> object:
        self._connection.expire(keys.RECONCILING, LOCK_SECONDS)
        return self._run_script("audit", clock.to_text(clock.now()), *ids) if ids else ([], [])

    def _read_queue(self) -> Iterator[bytes]:
        """Read what waits; what moves meanwhile may be missed or come twice, so a mend looks again."""
        for name in (keys.QUEUED, keys.INTERMEDIATE):
            begin = 0
            while page := self._connection.lrange(name, begin, begin + registry.PAGE - 1):
                yield from cast(list[bytes], page)
                begin += registry.PAGE

    def _read_registry(self) -> Iterator[list[str]]:
        """Read all ids, a page at a time, and take out what is none."""
        last = None
        while entries := registry.read_entries(self._connection, before=last):
            ids = [(entry, decode_id(entry)) for entry in entries]
            if foreign := [entry for entry, task_id in ids if task_id is None]:
                self._connection.zrem(keys.REGISTRY, *foreign)
                set_aside(self._connection, keys.REGISTRY, foreign)
            yield [task_id for _, task_id in ids if task_id]
            last = entries[-1]

    def _describe_wrong_types(self) -> str:
        """Say which of the keys that all reports share hold another type than they should."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for name in keys.TYPES:
                pipeline.type(name)
            found = [one.decode() for one in cast(list[bytes], pipeline.execute())]
        return " ".join(
            f"{name} holds a {have} instead of a {want}: remove it (DEL)."
            for (name, want), have in zip(keys.TYPES.items(), found, strict=True)
            if have not in (want, "none")
        )
