"""The workers on all hosts as they stand in Redis, and the order to drain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from redis import Redis

from reports_worker.broker import keys
from reports_worker.broker.errors import unless_wrong_type
from reports_worker.domain.report import Report
from reports_worker.errors import NoSuchWorkerError
from reports_worker.lib import clock

from .job_hash import FIELDS, read_report
from .scripts import load_script
from .stored_entries import decode_id, read_rows, set_aside

DRAIN_COMMAND = "drain"
_LONGEST_PID = 10
# A byte that is no UTF-8 is replaced by a character that is not printable ASCII, and so matches nothing here.
_QUEUE_KEY = re.compile(re.escape(keys.QUEUE_PREFIX) + r"[ -~]+", re.ASCII)
_WORKER_KEY = re.compile(re.escape(keys.WORKER_PREFIX) + r"[ -~]+", re.ASCII)
_FIELDS = ("birth", "death", "last_heartbeat", "hostname", "pid", "state", keys.DRAINING_SINCE)


class WorkerState(StrEnum):
    """The state of a worker."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    PAUSED = "paused"
    DRAINING = "draining"


_STATES = {"idle": WorkerState.IDLE, "busy": WorkerState.BUSY, "suspended": WorkerState.PAUSED}


@dataclass(frozen=True)
class WorkerRecord:
    """A worker by its last heartbeat: the record of a killed worker stays for about a minute.

    `report` is the report that it makes; a draining worker without one is about to end.
    """

    name: str
    host: str
    pid: int | None
    state: WorkerState
    started_at: datetime | None
    heard_at: datetime | None
    report: Report | None = None


class Workers:
    """Reads workers and gives them orders. Methods raise redis-py's errors."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._drain = load_script(connection, "drain")

    def list(self) -> Sequence[WorkerRecord]:
        """Read all, by name, in three round trips."""
        prefix = keys.WORKER_PREFIX.encode()
        members = cast(set[bytes], self._connection.smembers(keys.WORKERS))
        names = sorted(member.removeprefix(prefix).decode(errors="replace") for member in members)
        if not names:
            return []
        with self._connection.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hmget(keys.WORKER_PREFIX + name, _FIELDS)
                pipeline.smembers(f"{keys.WORKER_PREFIX}{name}:executions")
            found = pipeline.execute(raise_on_error=False)
        rows = [_read_row(unless_wrong_type(values, [None] * len(_FIELDS))) for values in found[::2]]
        task_ids = [_find_task_id(unless_wrong_type(executions, set())) for executions in found[1::2]]
        reports = self._read_reports({task_id for task_id in task_ids if task_id})
        return [
            _to_record(name, row, reports.get(task_id) if task_id else None)
            for name, row, task_id in zip(names, rows, task_ids, strict=True)
            if "birth" in row and "death" not in row
        ]

    def drain(self, names: Sequence[str]) -> None:
        """Make workers end after their current reports; raise NoSuchWorkerError before any is ordered."""
        known = {worker.name for worker in self.list()}
        if unknown := [name for name in names if name not in known]:
            raise NoSuchWorkerError(f"There is no worker {unknown[0][:100]!r}; there are: {_join(known)}.")
        for name in names:
            self.order(name)

    def order(self, name: str) -> None:
        """Order one worker to drain, and store the order for `list` and the worker; do nothing if it is gone."""
        now, order = clock.to_text(clock.now()), json.dumps({"command": DRAIN_COMMAND})
        self._drain([keys.WORKER_PREFIX + name], [now, keys.COMMANDS_PREFIX + name, order])

    def forget_gone(self) -> None:
        """Remove from RQ's sets of workers every entry without a record; foreign ones are set aside."""
        for name in (keys.WORKERS, keys.ALL_WORKERS):
            entries = list(cast(set[bytes], self._connection.smembers(name)))
            with self._connection.pipeline(transaction=False) as pipeline:
                for entry in entries:
                    pipeline.exists(entry)
                found = pipeline.execute()
            if gone := [entry for entry, count in zip(entries, found, strict=True) if not count]:
                self._connection.srem(name, *gone)
            if foreign := [
                entry for entry in gone if not _WORKER_KEY.fullmatch(entry.decode(errors="replace"))
            ]:
                set_aside(self._connection, name, foreign)

    def forget_odd_queues(self) -> None:
        """Remove from RQ's set of queues every foreign entry, since RQ's own tools fail over it."""
        entries = cast(set[bytes], self._connection.smembers(keys.QUEUES))
        for entry in entries:
            if not _QUEUE_KEY.fullmatch(entry.decode(errors="replace")):
                self._connection.srem(keys.QUEUES, entry)
                set_aside(self._connection, keys.QUEUES, [entry])

    def is_ordered(self, name: str) -> bool:
        """Return whether a worker has the order to drain."""
        return bool(self._connection.hexists(keys.WORKER_PREFIX + name, keys.DRAINING_SINCE))

    def _read_reports(self, task_ids: set[str]) -> Mapping[str, Report]:
        ids = sorted(task_ids)
        rows = zip(ids, read_rows(self._connection, ids, FIELDS), strict=True)
        reports = (read_report(task_id, row) for task_id, row in rows)
        return {report.task_id: report for report in reports if report}


def _read_row(values: Sequence[bytes | None]) -> dict[str, str]:
    pairs = zip(_FIELDS, values, strict=True)
    return {name: value.decode(errors="replace") for name, value in pairs if value is not None}


def _find_task_id(executions: set[bytes]) -> str | None:
    ids = (decode_id(execution.partition(b":")[0]) for execution in sorted(executions))
    return next((task_id for task_id in ids if task_id), None)


def _to_record(name: str, row: Mapping[str, str], report: Report | None) -> WorkerRecord:
    pid = row.get("pid", "")
    state = _STATES.get(row.get("state", ""), WorkerState.STARTING)
    return WorkerRecord(
        name=name,
        host=row.get("hostname", ""),
        pid=int(pid) if pid.isdecimal() and len(pid) <= _LONGEST_PID else None,
        state=WorkerState.DRAINING if keys.DRAINING_SINCE in row else state,
        started_at=_read_time(row.get("birth", "")),
        heard_at=_read_time(row.get("last_heartbeat", "")),
        report=report,
    )


def _read_time(text: str) -> datetime | None:
    try:
        return clock.from_text(text)
    except ValueError:
        return None


def _join(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
