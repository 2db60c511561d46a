"""Repairs reports that disagree with the queue and the registries in a way that no dead worker explains.

This product changes a report and its places in one script. RQ's own commands, other programs and people do not.
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
from reports_worker.queue.foreign_members import ForeignMembers
from reports_worker.queue.schema import MIGRATIONS, Migration, Schema
from reports_worker.queue.scripts import SharedScripts
from reports_worker.queue.stored_entries import decode_id, read_outcomes, set_aside

log = logging.getLogger(__name__)

CHECK_EVERY_SECONDS = 5.0
# Errors that cancel out in the counts are found by a full reconciliation.
RECONCILE_EVERY_SECONDS = 600.0
LOCK_SECONDS = 10

Outcome = tuple[str, str]


class Reconciler:
    """Compares counts every few seconds, and reconciles all reports where the counts disagree twice.

    Costs three round trips every `CHECK_EVERY_SECONDS`. Many reconcilers may run at once: each repair is one script
    that checks again, and one worker at a time reconciles. No step blocks the broker for long.
    """

    def __init__(
        self, connection: Redis, *, retention: timedelta, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        self._connection = connection
        self._run_script = SharedScripts(connection, retention=retention)
        self._schema = Schema(connection, migrations)
        self._foreign = ForeignMembers(connection)
        self._disagreed = False
        self._reconciled_at = time.monotonic()
        self.thread = PeriodicThread("reconciler", CHECK_EVERY_SECONDS, self.check)

    def check(self) -> None:
        """Compare the counts; reconcile if they disagreed the last time, too.

        Raises redis-py's errors; the error for a key of the wrong type names the key.
        """
        try:
            self._check()
        except ResponseError as error:
            if is_wrong_type(error):
                raise ResponseError(f"{error}. {self._describe_wrong_types()}") from error
            raise

    def _check(self) -> None:
        agree, odd_scores = self._count()
        if odd_scores:
            self._level_scores()
        is_due = time.monotonic() - self._reconciled_at >= RECONCILE_EVERY_SECONDS
        if is_due or (self._disagreed and not agree):
            for task_id, outcome in self.reconcile():
                log.warning("task %s: report and queue disagreed, now the report is %s", task_id, outcome)
        self._disagreed = not agree
        if not odd_scores:  # else its pages of the index could leave out reports
            self._schema.migrate()
        self._foreign.take_out_some()

    def do_counts_agree(self) -> bool:
        """Return whether each report is in one place. A report that is just being started is in two."""
        return self._count()[0]

    def _count(self) -> tuple[bool, int]:
        """Return whether the counts agree, and how many scores of the index are not 0; one round trip."""
        counts = cast(list[int], self._run_script("count"))
        registered, waiting, taken, running, ended, to_go, odd_scores = counts
        return registered == waiting + taken + running + ended and ended == to_go, odd_scores

    def _level_scores(self) -> None:
        if mended := registry.level_scores(self._connection):
            log.warning(
                "%d scores in %s were not 0, which hides reports: they are 0 again", mended, keys.REGISTRY
            )

    def reconcile(self) -> Iterator[Outcome]:
        """Check every report, unless another worker does; yield the id and the new status of each repaired report."""
        if not take_lock(self._connection, keys.RECONCILING, LOCK_SECONDS):
            return
        try:
            self._foreign.take_out_all()
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
                repaired = self._run_script("repair_queue", *suspects[begin : begin + registry.PAGE])
                yield from read_outcomes(cast(list[bytes], repaired))
            self._reconciled_at = time.monotonic()
        finally:
            self._connection.delete(keys.RECONCILING)

    def _audit(self, ids: Sequence[str]) -> object:
        self._connection.expire(keys.RECONCILING, LOCK_SECONDS)
        return self._run_script("audit", clock.to_text(clock.now()), *ids) if ids else ([], [])

    def _read_queue(self) -> Iterator[bytes]:
        """Read the queue; an entry that moves at the same time may be missed or read twice, so repairs check again."""
        for name in (keys.QUEUED, keys.INTERMEDIATE):
            begin = 0
            while page := self._connection.lrange(name, begin, begin + registry.PAGE - 1):
                yield from cast(list[bytes], page)
                begin += registry.PAGE

    def _read_registry(self) -> Iterator[list[str]]:
        """Read all ids, a page at a time, and remove foreign entries."""
        last = None
        while entries := registry.read_entries(self._connection, before=last):
            ids = [(entry, decode_id(entry)) for entry in entries]
            if foreign := [entry for entry, task_id in ids if task_id is None]:
                self._connection.zrem(keys.REGISTRY, *foreign)
                set_aside(self._connection, keys.REGISTRY, foreign)
            yield [task_id for _, task_id in ids if task_id]
            last = entries[-1]

    def _describe_wrong_types(self) -> str:
        """Name the shared keys that have another type than they should."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for name in keys.TYPES:
                pipeline.type(name)
            found = [one.decode() for one in cast(list[bytes], pipeline.execute())]
        return " ".join(
            f"{name} holds a {have} instead of a {want}: remove it (DEL)."
            for (name, want), have in zip(keys.TYPES.items(), found, strict=True)
            if have not in (want, "none")
        )
