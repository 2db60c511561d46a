"""Task ids: UUIDs of version 7, which sort by creation time (RFC 9562, sections 5.7 and 6.2)."""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime, timedelta

_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_task_id() -> str:
    """Return a new id. Ids that are created a microsecond apart sort in that order (method 3 of section 6.2)."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    variant = 0x8000 | secrets.randbits(14)
    digits = f"{milliseconds:012x}7{fraction:03x}{variant:04x}{secrets.randbits(48):012x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def read_time(task_id: str) -> datetime:
    """Return the creation time of an id, to the millisecond; raise ValueError for a text that is no id."""
    milliseconds = int(task_id[:8] + task_id[9:13], 16)
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise ValueError(f"{task_id[:36]!r} was made in no year of a report") from error


def is_task_id(text: str) -> bool:
    """Return whether a text has the form of a task id; any other text names no report."""
    return _PATTERN.fullmatch(text) is not None
