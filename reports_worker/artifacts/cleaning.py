"""Takes away the files of reports that are gone, and what attempts that died have left half-written.

Which reports are to be looked at, the scripts that delete, expire, retry and put back a report note in that
same step. So nothing is forgotten, whoever dies, and while the store is away it waits.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from reports_worker import keys
from reports_worker.scripts import load_script

from .errors import StorageError
from .stores import Store

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
AGAIN_AFTER_SECONDS = 30.0
MOST_AT_ONCE = 50
# Its lease may be gone a moment before the process that writes there.
SCRATCH_AGE = timedelta(seconds=15)
COMPARE_EVERY_SECONDS = 3600.0
# Files without a report are left alone for a day: perhaps the broker has come back without its data.
STRAY_AGE = timedelta(days=1)


@dataclass(frozen=True)
class Claim:
    """A report to be looked at, and whose files are to stay."""

    task_id: str
    score: str
    status: str
    published: str
    running: str

    @property
    def keep(self) -> set[str]:
        kept = {self.running} | ({self.published} if self.status == "finished" else set())
        return kept - {""}


class Cleaner:
    """Looks every few seconds; one round trip while there is nothing to do. Many may run at once."""

    def __init__(self, connection: Redis, store: Store) -> None:
        self._connection = connection
        self._store = store
        self._claim = load_script(connection, "claim_files")
        self._settle = load_script(connection, "settle_files")
        self._compared_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cleaner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self.clean()
                self.clean_scratch(datetime.now(UTC))
                if time.monotonic() - self._compared_at >= COMPARE_EVERY_SECONDS:
                    self._compared_at = time.monotonic()
                    self.compare(datetime.now(UTC))
            except (RedisError, StorageError, OSError) as error:
                log.warning("cannot clear away files: %s", error)

    def clean(self) -> None:
        """Look at the reports that were noted. What cannot be done now is tried again."""
        for claim in self._claim_some():
            try:
                self._store.remove(claim.task_id, keep=claim.keep)
            except StorageError as error:
                log.warning("task %s: its files cannot be cleared away yet: %s", claim.task_id, error)
                continue
            if not claim.running:
                self._settle([keys.FILES], [claim.task_id, claim.score])

    def clean_scratch(self, now: datetime) -> None:
        """Remove what executions that are no more were writing on this host."""
        root = self._store.scratch_root
        for folder in root.iterdir() if root.is_dir() else ():
            task_id, _, execution = folder.name.partition(".")
            age = now - datetime.fromtimestamp(folder.lstat().st_mtime, UTC)
            if age > SCRATCH_AGE and self._connection.get(keys.lease(task_id)) != execution.encode():
                shutil.rmtree(folder, ignore_errors=True)

    def compare(self, now: datetime) -> None:
        """Remove what no report belongs to any more, whatever was noted of it.

        Where most files have no report, it is the reports that are missing, and nothing is removed.
        """
        found = list(self._store.list())
        strays = [
            task_id
            for task_id, modified in found
            if now - modified > STRAY_AGE and not self._connection.exists(keys.job(task_id))
        ]
        if 2 * len(strays) > len(found):
            log.warning(
                "%s of %s reports that have files are not known, so none goes", len(strays), len(found)
            )
            return
        for task_id in strays:
            log.warning("task %s: there are files and no report, so they go", task_id)
            self._store.remove(task_id)

    def _claim_some(self) -> Iterator[Claim]:
        names: list[str | float] = [keys.JOB_PREFIX, keys.LEASE_PREFIX, MOST_AT_ONCE, AGAIN_AFTER_SECONDS]
        found = cast(list[bytes], self._claim([keys.FILES], names))
        for position in range(0, len(found), 5):
            yield Claim(*(value.decode() for value in found[position : position + 5]))
