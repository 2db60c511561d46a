"""Ids and rows as they stand in Redis, where other programs and people can write too.

What is no task id is a foreign entry: no version of this product can have written it. Readers leave foreign entries
out. Workers move each from its key to a quarantine, a list of bounded length, and log it once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from redis import Redis

from reports_worker.broker import keys
from reports_worker.broker.errors import unless_wrong_type
from reports_worker.domain.task_id import is_task_id

log = logging.getLogger(__name__)

Row = Sequence[bytes | None]

_ID_LENGTH = 36
_LONGEST_SHOWN = 100
# What the quarantine holds at most: so many entries of so many bytes, the newest first.
MOST_FOREIGN = 1000
LONGEST_FOREIGN = 1000
# How scripts report an entry that names no report.
_TAKEN_OUT = "taken out of "


def decode_id(entry: object) -> str | None:
    """Read a task id; None for a foreign entry. Ids from Redis are read here and nowhere else."""
    if not isinstance(entry, bytes) or len(entry) != _ID_LENGTH:
        return None
    text = entry.decode("latin-1")
    return text if is_task_id(text) else None


def decode_ids(entries: Iterable[bytes]) -> list[str]:
    """Read task ids, and leave out foreign entries."""
    return [task_id for entry in entries if (task_id := decode_id(entry))]


def read_outcomes(flat: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    """Yield each report that a script changed, with the outcome; log the entries that it removed as no report."""
    for entry, outcome in read_pairs(flat):
        text, task_id = outcome.decode(), decode_id(entry)
        if task_id is None or text.startswith(_TAKEN_OUT):
            log_taken_out(entry, text.removeprefix(_TAKEN_OUT))
        else:
            yield task_id, text


def set_aside(connection: Redis, key: str, entries: Sequence[bytes]) -> None:
    """Write foreign entries, which the caller removes from their key, into the quarantine, and log each."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.lpush(
            keys.FOREIGN, *(b"%s %s" % (key.encode(), entry[:LONGEST_FOREIGN]) for entry in entries)
        )
        pipeline.ltrim(keys.FOREIGN, 0, MOST_FOREIGN - 1)
        # The quarantine may hold another type; that stops no worker.
        pipeline.execute(raise_on_error=False)
    for entry in entries:
        log_taken_out(entry, key)


def read_pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the pairs of a flat reply, in which a script or a sorted set returns them."""
    return zip(flat[::2], flat[1::2], strict=True)


def log_taken_out(entry: bytes, key: str) -> None:
    """Log that an entry was removed, in a form that no terminal obeys."""
    log.warning("%r names no report, so it is taken out of %s", entry[:_LONGEST_SHOWN], key)


def read_rows(connection: Redis, ids: Sequence[str], fields: Sequence[str]) -> list[Row]:
    """Read fields of reports in one round trip; a key that holds no report gives a row without values."""
    if not ids:
        return []
    with connection.pipeline(transaction=False) as pipeline:
        for task_id in ids:
            pipeline.hmget(keys.job(task_id), fields)
        nothing: Row = [None] * len(fields)
        return [unless_wrong_type(row, nothing) for row in pipeline.execute(raise_on_error=False)]
