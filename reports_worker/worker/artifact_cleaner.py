"""Takes away the files of reports that are gone, and what attempts that died have left half-written.

Which reports are to be looked at, the scripts that delete, expire, retry and put back a report note
themselves, in the same step. So nothing is forgotten, whoever dies, and while the store is away it waits. What
was never noted, since the broker lost it, is found by comparing all files with all reports now and then.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from reports_worker.artifacts.errors import ArtifactGoneError, StorageError
from reports_worker.artifacts.scratch import find_scratch
from reports_worker.artifacts.store import Store, StoredExecution
from reports_worker.broker import keys
from reports_worker.broker.errors import unless_wrong_type
from reports_worker.broker.lock import take_lock
from reports_worker.lib.periodic_thread import PeriodicThread
from reports_worker.queue.scripts import load_script
from reports_worker.queue.stored_entries import decode_id, read_pairs, set_aside

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
AGAIN_AFTER_SECONDS = 15.0
MOST_AT_ONCE = 50
# Its lease may be gone a moment before the process that writes there.
SCRATCH_AGE = timedelta(seconds=15)
# One worker at a time compares, and one an hour is enough.
COMPARE_EVERY_SECONDS = 600.0
COMPARED_SECONDS = 3600
COMPARED_AT_ONCE = 500
# Files without a report are left alone for a day: perhaps the broker has come back without its data.
STRAY_AGE = timedelta(days=1)


@dataclass(frozen=True)
class RetainedExecutions:
    """Whose files of a report are to stay: of the execution that published, and of the one that runs."""

    is_known: bool
    published: str
    running: str

    @property
    def is_settled(self) -> bool:
        """Whether nothing can come that nobody notes: who runs for a deleted report may still write."""
        return self.is_known or not self.running


class ArtifactCleaner:
    """Looks every few seconds; one round trip while there is nothing to do. Many may run at once.

    Executions are listed before it is asked which are to stay: one that is not to stay then never will be,
    since each begins once. So a file that is published is never taken away.
    """

    def __init__(self, connection: Redis, store: Store, *, retention: timedelta) -> None:
        self._connection = connection
        self._store = store
        self._retention = retention
        self._claim = load_script(connection, "claim_files")
        self._settle = load_script(connection, "settle_files")
        self._compared_at = time.monotonic()
        expected = (RedisError, StorageError, OSError)
        self.thread = PeriodicThread("cleaner", EVERY_SECONDS, self._clean_all, expected=expected)

    def _clean_all(self) -> None:
        self.clean()
        self.clean_scratch(datetime.now(UTC))
        if time.monotonic() - self._compared_at >= COMPARE_EVERY_SECONDS:
            self._compared_at = time.monotonic()
            self.compare(datetime.now(UTC))

    def clean(self) -> None:
        """Look at the reports that were noted. What cannot be done now is tried again."""
        for task_id, score in self._claim_some():
            try:
                is_settled = self._clean_report(task_id)
            except (StorageError, ArtifactGoneError) as error:
                log.warning("task %s: its files cannot be cleared away yet: %s", task_id, error)
                continue
            if is_settled:
                self._settle([keys.FILES], [task_id, score])

    def clean_scratch(self, now: datetime) -> None:
        """Remove what executions that are no more were writing on this host."""
        for task_id, execution, path, modified in find_scratch(self._store):
            if now - modified > SCRATCH_AGE and self._ask([task_id])[0].running != execution:
                shutil.rmtree(path, ignore_errors=True)

    def compare(self, now: datetime) -> None:
        """Remove what no report belongs to any more, whatever was noted of it; nothing if another just did.

        Where most files have no report, it is the reports that are missing: then only those go that are older
        than any report is kept.
        """
        if not take_lock(self._connection, keys.COMPARED, COMPARED_SECONDS):
            return
        count, strays = 0, list[StoredExecution]()
        for stays in _take(self._store.find_all(), COMPARED_AT_ONCE):
            count += len(stays)
            strays += self._find_strays(stays, now)
        if 2 * sum(stay.modified > now - self._retention for stay in strays) > count:
            log.warning(
                "%s of %s executions that left files are not known, so these stay", len(strays), count
            )
            strays = [stay for stay in strays if stay.modified <= now - self._retention - STRAY_AGE]
        for task_id, stays_of_one in groupby(strays, key=lambda stay: stay.task_id):
            log.warning("task %s: there are files that belong to nothing, so they go", task_id)
            self._store.remove(task_id, [stay.execution for stay in stays_of_one])

    def _clean_report(self, task_id: str) -> bool:
        found = self._store.find_executions(task_id)
        wanted = self._ask([task_id])[0]
        gone = [execution for execution in found if execution not in (wanted.published, wanted.running)]
        if gone:
            self._store.remove(task_id, gone)
        return wanted.is_settled

    def _find_strays(self, stays: Sequence[StoredExecution], now: datetime) -> Iterator[StoredExecution]:
        for stay, wanted in zip(stays, self._ask([stay.task_id for stay in stays]), strict=True):
            is_young = not wanted.is_known and now - stay.modified <= STRAY_AGE
            if stay.execution not in (wanted.published, wanted.running) and not is_young:
                yield stay

    def _ask(self, ids: Sequence[str]) -> list[RetainedExecutions]:
        """Ask whose files are to stay; of each report in one step, since publishing gives up the lease."""
        with self._connection.pipeline() as pipeline:
            for task_id in ids:
                pipeline.hmget(keys.job(task_id), "status", "artifacts_at")
                pipeline.get(keys.lease(task_id))
            found = iter(pipeline.execute(raise_on_error=False))
        return [
            _to_wanted(unless_wrong_type(fields, (None, None)), unless_wrong_type(lease, None))
            for fields, lease in zip(found, found, strict=True)
        ]

    def _claim_some(self) -> Iterator[tuple[str, str]]:
        found = cast(list[bytes], self._claim([keys.FILES], [MOST_AT_ONCE, AGAIN_AFTER_SECONDS]))
        for entry, score in read_pairs(found):
            if task_id := decode_id(entry):
                yield task_id, score.decode()
            else:
                self._connection.zrem(keys.FILES, entry)
                set_aside(self._connection, keys.FILES, [entry])


def _to_wanted(fields: Sequence[bytes | None], lease: bytes | None) -> RetainedExecutions:
    status, published = fields
    published_text, running = ((one or b"").decode(errors="replace") for one in (published, lease))
    return RetainedExecutions(status is not None, published_text, running)


def _take(stays: Iterator[StoredExecution], count: int) -> Iterator[list[StoredExecution]]:
    while some := list(islice(stays, count)):
        yield some
