"""The files that reports have left: whether each is as its receipt says, and whether any is half-written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis import Redis

from harness.errors import DeadlineError
from harness.wait import wait_until

# What a worker that was killed was writing is gone within 30 s of its death, and an execution's files as soon.
_CLEARED_SECONDS = 45
_LOOK_EVERY_SECONDS = 0.5


def find_complaints(folder: Path, redis: Redis, reports: Sequence[Any]) -> Iterator[str]:
    """Wait until what was half-written is cleared away, as long as that may take; say what is wrong then."""
    completed = [report for report in reports if report["status"] == "completed"]
    published = {report["task_id"]: _read_execution(redis, report["task_id"]) for report in completed}
    if not any(report["artifacts"] for report in completed):
        yield "No report has left a file."
    with suppress(DeadlineError):
        wait_until(
            lambda: not find_half_written(folder, published),
            seconds=_CLEARED_SECONDS,
            what="the end of half-written files",
            every_seconds=_LOOK_EVERY_SECONDS,
        )
    if left := find_half_written(folder, published):
        yield f"{len(left)} half-written files were left."
    if spoiled := sum(count_spoiled(folder, report, published[report["task_id"]]) for report in completed):
        yield f"{spoiled} files are not as their receipts say."


def find_half_written(folder: Path, published: Mapping[str, str]) -> list[Path]:
    """Find what is no file of an execution that published: what executions were writing, and what others kept."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path for path in paths if not _is_published(path.parts, published)]


def _is_published(parts: Sequence[str], published: Mapping[str, str]) -> bool:
    """Tell it of a path, which is `<task id>/<execution>/<name>`."""
    return len(parts) == 3 and published.get(parts[0]) == parts[1] and not parts[2].startswith(".")


def count_spoiled(folder: Path, report: Any, execution: str) -> int:
    """Count the files of a report that are missing or are not as their receipts say."""
    kept = folder / report["task_id"] / execution
    return sum(_digest(kept / receipt["name"]) != receipt["sha256"] for receipt in report["artifacts"])


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _read_execution(redis: Redis, task_id: str) -> str:
    found = redis.hget(f"rq:job:{task_id}", "artifacts_at")
    return found.decode() if isinstance(found, bytes) else ""
