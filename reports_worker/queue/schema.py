"""Which shape the reports in Redis have, and how they get a newer one while everything runs.

A migration changes reports page by page, newest first. Its cursor stands in Redis, so that another worker goes on
where one ended. Readers use the old shape until the stored number says that the migration is complete. By then all
reports have the new shape, because every version that runs beside writes it: a version that brings a new shape
writes both, and the version after it brings the migration.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from redis import Redis

from reports_worker.broker import keys
from reports_worker.broker.lock import take_lock

from .report_index import PAGE, read_entries
from .scripts import load_script
from .stored_entries import decode_ids

log = logging.getLogger(__name__)

# The schema of data without a number: those of version 0.1.0.
FIRST = 1
# All workers together migrate for so long, once in so many seconds.
SLICE_SECONDS = 0.5
SLICE_EVERY_SECONDS = 4
_LONGEST_NUMBER = 6


@dataclass(frozen=True)
class Migration:
    """A step to the schema of this number.

    `change` changes some reports. It may get the same ids again, and ids of reports that are gone.
    """

    number: int
    change: Callable[[Redis, Sequence[str]], object]


# In the order of their numbers. No shape has changed since the first schema.
MIGRATIONS: Sequence[Migration] = ()


def find_newest(migrations: Sequence[Migration]) -> int:
    """Return the number of the newest schema that this version knows."""
    return max((migration.number for migration in migrations), default=FIRST)


class Schema:
    """The stored number of the schema, and the migrations that follow. Methods raise redis-py's errors.

    A newer number than this version knows changes nothing: readers ignore what they do not know.
    """

    def __init__(
        self, connection: Redis, migrations: Sequence[Migration] = MIGRATIONS, *, page: int = PAGE
    ) -> None:
        self._connection = connection
        self._migrations = migrations
        self._page = page
        self._advance = load_script(connection, "advance_schema")
        self._is_complete = False

    def has_reached(self, number: int) -> bool:
        """Tell whether all reports have the shape of this schema, so that readers may rely on it."""
        return _to_number(self._read()[0]) >= number

    def migrate(self, *, seconds: float = SLICE_SECONDS) -> bool:
        """Change reports for about so long, unless another worker does; return whether nothing is left to do."""
        if self._is_complete:
            return True
        deadline = time.monotonic() + seconds
        has_lock = False
        while migration := self._find_next():
            has_lock = has_lock or take_lock(self._connection, keys.MIGRATING, SLICE_EVERY_SECONDS)
            if not has_lock or time.monotonic() >= deadline:
                return False
            self._change_page(migration)
        self._is_complete = True
        return True

    def _find_next(self) -> Migration | None:
        """Find the migration that is next; write the number where there is none."""
        stored = _to_number(self._read()[0])
        newest = find_newest(self._migrations)
        if stored > newest:
            log.info("the reports in Redis have schema %d, and this version knows schema %d", stored, newest)
        if self._connection.hsetnx(keys.SCHEMA, "number", FIRST):
            log.info("the reports in Redis have schema %d", FIRST)
        return next((one for one in self._migrations if one.number > stored), None)

    def _change_page(self, migration: Migration) -> None:
        number, cursor = self._read()
        if _to_number(number) >= migration.number:
            return
        entries = read_entries(self._connection, before=cursor or None, count=self._page)
        if ids := decode_ids(entries):
            migration.change(self._connection, ids)
        # An empty text sorts before all others.
        is_last = not entries or not entries[-1]
        after = (migration.number, "") if is_last else (number, entries[-1])
        if self._advance([keys.SCHEMA], [number, cursor, *after]) and is_last:
            log.info("all reports in Redis have schema %d", migration.number)

    def _read(self) -> tuple[bytes, bytes]:
        number, cursor = cast(list[bytes | None], self._connection.hmget(keys.SCHEMA, ["number", "cursor"]))
        return number or b"", cursor or b""


def _to_number(text: bytes) -> int:
    """Read a number; what is none counts as the first, so that no migration is left out."""
    return int(text) if text.isdigit() and len(text) <= _LONGEST_NUMBER else FIRST
