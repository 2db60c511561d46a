"""How single variables are read. All raise ValueError with the sentence that follows the variable's name."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reports_worker.lib.units import parse_size
from reports_worker.lib.whole_number import is_whole, parse_whole

MOST_REPLICAS = 16
MOST_ROWS = 10**12
# A process that makes a report has about 30 MB of its own.
LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES = 100 * 10**6, 10**15

parse_replicas = parse_whole(0, MOST_REPLICAS)


def parse_memory(text: str) -> int:
    """Parse a size into bytes."""
    size = parse_size(text)
    if not LEAST_MEMORY_BYTES <= size <= MOST_MEMORY_BYTES:
        raise ValueError(f"give at least {LEAST_MEMORY_BYTES // 10**6}MB, and no more than any machine has")
    return size


def parse_rows(text: str) -> int:
    if not is_whole(text, 1, MOST_ROWS):
        raise ValueError("give a whole number of rows, such as 10000000")
    return int(text)


def parse_month(text: str) -> int:
    if not is_whole(text, 1, 12):
        raise ValueError("give the number of a month, from 1 to 12")
    return int(text)


def parse_timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("give the name of a time zone, such as Europe/Prague or UTC") from error


def parse_folders(text: str) -> tuple[Path, ...]:
    """Parse the paths of existing folders, with `:` between them."""
    folders = tuple(Path(part).absolute() for part in text.split(os.pathsep) if part)
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder")
    return folders
