"""Removes the files of reports that are gone, and partial files of executions that died.

The scripts that delete, expire, retry and requeue a report note its id in the same step. So no report is missed
when a process dies, and the ids wait while the store is unavailable. Files whose report was never noted, since
the broker lost the note, are found by a periodic comparison of all files with all reports.
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
RETRY_AFTER_SECONDS = 15.0
CLAIM_COUNT = 50
# The lease may be gone a moment before the process that writes to the folder.
SCRATCH_AGE = timedelta(seconds=15)
# One comparison an hour, by one worker, is enough.
COMPARE_EVERY_SECONDS = 600.0
COMPARED_SECONDS = 3600
COMPARE_BATCH = 500
# Files without a report stay for a day: the broker may have come back without its data.
STRAY_AGE = timedelta(days=1)


@dataclass(frozen=True)
class RetainedExecutions:
    """The executions of a report whose files are retained: the one that published, and the one that runs."""

    is_known: bool
    published: str
    running: str

    @property
    def is_final(self) -> bool:
        """Whether no file can appear without a new note: the execution of a deleted report may still write."""
        return self.is_known or not self.running


class ArtifactCleaner:
    """Cleans every few seconds; one round trip while there is nothing to do. Many cleaners may run at once.

    The cleaner lists executions first and then reads which are retained. An execution that is not retained then
    is never retained later, since each execution begins once. So the cleaner never removes a published file.
    """

    def __init__(self, connection: Redis, store: Store, *, retention: timedelta) -> None:
        self._connection = connection
        self._store = store
        self._retention = retention
        self._claim = load_script(connection, "claim_files")
        self._acknowledge = load_script(connection, "settle_files")
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
        """Clean the noted reports. A report that fails is retried later."""
        for task_id, score in self._claim_some():
            try:
                is_final = self._clean_report(task_id)
            except (StorageError, ArtifactGoneError) as error:
                log.warning("task %s: its files cannot be removed yet: %s", task_id, error)
                continue
            if is_final:
                self._acknowledge([keys.FILES], [task_id, score])

    def clean_scratch(self, now: datetime) -> None:
        """Remove the scratch folders of executions that have ended on this host."""
        for task_id, execution, path, modified in find_scratch(self._store):
            if now - modified > SCRATCH_AGE and self._find_retained([task_id])[0].running != execution:
                shutil.rmtree(path, ignore_errors=True)

    def compare(self, now: datetime) -> None:
        """Remove all files that belong to no report; do nothing if another worker has just compared.

        Where most files have no report, the broker has lost its reports. Then only files that are older than the
        retention are removed.
        """
        if not take_lock(self._connection, keys.COMPARED, COMPARED_SECONDS):
            return
        count, strays = 0, list[StoredExecution]()
        for batch in _batches(self._store.find_all(), COMPARE_BATCH):
            count += len(batch)
            strays += self._find_strays(batch, now)
        if 2 * sum(stray.modified > now - self._retention for stray in strays) > count:
            log.warning(
                "%s of %s executions with files belong to no report, so these files are kept",
                len(strays),
                count,
            )
            strays = [stray for stray in strays if stray.modified <= now - self._retention - STRAY_AGE]
        for task_id, strays_of_report in groupby(strays, key=lambda stray: stray.task_id):
            log.warning("task %s: files that belong to no report are removed", task_id)
            self._store.remove(task_id, [stray.execution for stray in strays_of_report])

    def _clean_report(self, task_id: str) -> bool:
        found = self._store.find_executions(task_id)
        retained = self._find_retained([task_id])[0]
        gone = [execution for execution in found if execution not in (retained.published, retained.running)]
        if gone:
            self._store.remove(task_id, gone)
        return retained.is_final

    def _find_strays(self, stored: Sequence[StoredExecution], now: datetime) -> Iterator[StoredExecution]:
        for one, retained in zip(stored, self._find_retained([one.task_id for one in stored]), strict=True):
            is_young = not retained.is_known and now - one.modified <= STRAY_AGE
            if one.execution not in (retained.published, retained.running) and not is_young:
                yield one

    def _find_retained(self, ids: Sequence[str]) -> list[RetainedExecutions]:
        """Read the retained executions; of each report in one step, since publishing releases the lease."""
        with self._connection.pipeline() as pipeline:
            for task_id in ids:
                pipeline.hmget(keys.job(task_id), "status", "artifacts_at")
                pipeline.get(keys.lease(task_id))
            found = iter(pipeline.execute(raise_on_error=False))
        return [
            _to_retained(unless_wrong_type(fields, (None, None)), unless_wrong_type(lease, None))
            for fields, lease in zip(found, found, strict=True)
        ]

    def _claim_some(self) -> Iterator[tuple[str, str]]:
        found = cast(list[bytes], self._claim([keys.FILES], [CLAIM_COUNT, RETRY_AFTER_SECONDS]))
        for entry, score in read_pairs(found):
            if task_id := decode_id(entry):
                yield task_id, score.decode()
            else:
                self._connection.zrem(keys.FILES, entry)
                set_aside(self._connection, keys.FILES, [entry])


def _to_retained(fields: Sequence[bytes | None], lease: bytes | None) -> RetainedExecutions:
    status, published = fields
    published_text, running = ((one or b"").decode(errors="replace") for one in (published, lease))
    return RetainedExecutions(status is not None, published_text, running)


def _batches(stored: Iterator[StoredExecution], count: int) -> Iterator[list[StoredExecution]]:
    while batch := list(islice(stored, count)):
        yield batch
