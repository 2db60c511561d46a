"""The queue of reports: how they are requested, read and changed. Views know this and never RQ."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis
from redis.client import PubSub

from reports_worker.broker import keys
from reports_worker.broker.errors import BrokerGuard
from reports_worker.broker.health import BrokerCheck
from reports_worker.domain.idempotency import KEPT, IdempotencyKey, digest_report
from reports_worker.domain.report import Accepted, Condition, Page, Pause, Report, Status
from reports_worker.domain.submission import LONGEST_MAX_AGE, Submission
from reports_worker.domain.task_id import is_task_id, new_task_id
from reports_worker.errors import (
    IdempotencyConflictError,
    NoSuchReportError,
    UnconfirmedError,
    WrongStateError,
)
from reports_worker.lib import clock

from . import pause as pauses
from . import report_index as registry
from .job_hash import FIELDS, describe_job, read_report, read_status, write_fields
from .preview import read_preview
from .schema import MIGRATIONS, find_newest
from .scripts import SharedScripts, load_script
from .selection import EVERYTHING, SELECTED_FIELDS, Selection
from .stored_entries import read_rows
from .worker_records import WorkerRecord, Workers

MOST_LISTED = 500
MOST_SCANNED = 2000
MOST_POSITIONS = 1000
# Less than the client's own timeout.
REPLICAS_MILLISECONDS = 500
# A report may wait and run for long before its age counts.
REMEMBERED = LONGEST_MAX_AGE + timedelta(days=2)
DEFAULT_RETENTION = timedelta(days=30)
SCHEMA = find_newest(MIGRATIONS)


class ReportQueue:
    """Reports in Redis: each is its RQ job, with further fields in the same hash.

    Round trips: a submit 1, a status 1, a page 2, a filtered page 3, a change 1.
    All methods raise BrokerUnavailableError. A request is accepted when so many `replicas` of the broker have it.
    """

    def __init__(
        self,
        connection: Redis,
        *,
        timeout: timedelta,
        retention: timedelta = DEFAULT_RETENTION,
        replicas: int = 0,
        new_id: Callable[[], str] = new_task_id,
    ) -> None:
        self.connection = connection
        self._guard = BrokerGuard()
        self._check = BrokerCheck(connection, replicas=replicas)
        self._replicas = replicas
        self._new_id = new_id
        self._submit = load_script(connection, "submit")
        self._read = load_script(connection, "read")
        self._change = SharedScripts(connection, retention=retention)
        self._workers = Workers(connection)
        self._job_fields = describe_job(connection, timeout)

    def submit(self, submission: Submission, *, idempotency_key: IdempotencyKey | None = None) -> str:
        """Request a report as `accept` does; return its task id alone."""
        return self.accept(submission, idempotency_key=idempotency_key).task_id

    def accept(self, submission: Submission, *, idempotency_key: IdempotencyKey | None = None) -> Accepted:
        """Write the report and queue it, whole or not at all; or find an earlier one that can serve.

        With a key that was used before for the same request, return the id of that report and do nothing;
        raise IdempotencyConflictError if it was used for another one. With a `max_age`, the requester's
        newest report of the same request serves if it is completed and no older, waits or runs.
        """
        task_id, now = self._new_id(), clock.now()
        pairs = [part for pair in self._make_fields(submission, now).items() for part in pair]
        digest, key = (idempotency_key.digest, idempotency_key.name) if idempotency_key else ("", "")
        own_keys = [keys.IDEMPOTENCY_PREFIX + key, keys.NEWEST_PREFIX + digest_report(submission)]
        since = clock.to_text(now - submission.max_age) if submission.max_age else ""
        with self._guard():
            # redis-py repeats a command without a reply: the script then finds the id and adds nothing.
            (accepted, *status), replicas = self._run_submit(
                [keys.job(task_id), keys.REGISTRY, keys.QUEUES, keys.QUEUED, *own_keys, keys.SCHEMA],
                [task_id, digest, _seconds(KEPT), _seconds(REMEMBERED), since, SCHEMA, *pairs],
            )
        if not accepted:
            raise IdempotencyConflictError("This Idempotency-Key was used for another request before.")
        if replicas < self._replicas:
            raise UnconfirmedError(replicas, self._replicas)
        earlier = status[0].decode()
        return Accepted(accepted.decode(), read_status(earlier), is_earlier=bool(earlier))

    def find(self, task_id: str) -> Report | None:
        """Read one report, with its position while it waits; None if there is none of this id."""
        if not is_task_id(task_id):
            return None
        with self._guard():
            *values, position, suspended = cast(
                list[bytes | None],
                self._read([keys.job(task_id), keys.QUEUED, keys.SUSPENDED], [MOST_POSITIONS, *FIELDS]),
            )
        pause = pauses.read_pause(suspended)
        return read_report(task_id, values, position=cast(int, position), pause=pause)

    def find_preview(self, task_id: str) -> Mapping[str, Any] | None:
        """Read the preview of a completed report, for its own page; None if there is none."""
        if not is_task_id(task_id):
            return None
        with self._guard():
            ((text,),) = read_rows(self.connection, [task_id], ["preview"])
        return read_preview(text)

    def list(self, *, limit: int = 100, cursor: str | None = None, selection: Selection = EVERYTHING) -> Page:
        """Read a page, newest first; `cursor` is the last id of the page before.

        A selection reads `MOST_SCANNED` reports at most: its page may be short, or even empty, and still have a
        next one.
        """
        with self._guard():
            if selection == EVERYTHING:
                return self._list_all(limit, cursor)
            return self._list_selected(limit, cursor, selection)

    def cancel(self, task_id: str) -> Status:
        """Cancel a report that waits or runs; return its status: failed, or still running for a moment.

        Raises NoSuchReportError, or WrongStateError if it has ended.
        """
        found = self._run("cancel", task_id)
        if found == "ended":
            raise WrongStateError("The report has ended already, so there is nothing to cancel.")
        return read_status(found)

    def retry(self, task_id: str) -> None:
        """Run a failed report again, under the same id.

        Raises NoSuchReportError, or WrongStateError if it has not failed.
        """
        found = self._run("retry", task_id, secrets.token_hex(8))
        if found != "retried":
            raise WrongStateError(f"The report is {read_status(found)}: only a failed report can run again.")

    def delete(self, task_id: str) -> None:
        """Delete a report in any state; a running one is ended. Raises NoSuchReportError."""
        if not is_task_id(task_id) or not self._change_report("delete", task_id, secrets.token_hex(8)):
            raise NoSuchReportError(f"There is no report {task_id[:100]!r}.")

    def _make_fields(self, submission: Submission, now: datetime) -> dict[str, Any]:
        time = clock.to_text(now)
        return {**self._job_fields, "created_at": time, "enqueued_at": time, **write_fields(submission)}

    def _run_submit(
        self, names: Sequence[str], arguments: Sequence[str | int]
    ) -> tuple[Sequence[bytes], int]:
        """Run the script; where replicas are required, wait for them in the same round trip and count them."""
        if not self._replicas:
            return cast(Sequence[bytes], self._submit(names, arguments)), 0
        accepted, replicas = self._submit.run_and_wait(
            names, arguments, replicas=self._replicas, milliseconds=REPLICAS_MILLISECONDS
        )
        return cast(Sequence[bytes], accepted), replicas

    def _run(self, name: str, task_id: str, *arguments: str) -> str:
        now = clock.to_text(clock.now())
        found = is_task_id(task_id) and self._change_report(name, task_id, now, *arguments)
        if not found:
            raise NoSuchReportError(f"There is no report {task_id[:100]!r}.")
        return cast(bytes, found).decode()

    def _change_report(self, name: str, *arguments: str) -> object:
        with self._guard():
            return self._change(name, *arguments)

    def _list_all(self, limit: int, cursor: str | None) -> Page:
        ids, total, suspended = registry.read_ids(self.connection, limit=limit + 1, before=cursor)
        reports = self._read_reports(ids[:limit])
        next_cursor = ids[limit - 1] if len(ids) > limit else None
        return Page(reports, total, next_cursor, pauses.read_pause(suspended))

    def _list_selected(self, limit: int, cursor: str | None, selection: Selection) -> Page:
        ids, _, suspended = registry.read_ids(self.connection, limit=MOST_SCANNED, before=cursor)
        rows = read_rows(self.connection, ids, SELECTED_FIELDS)
        chosen = [task_id for task_id, row in zip(ids, rows, strict=True) if selection.includes(row)]
        has_more = len(chosen) > limit or len(ids) == MOST_SCANNED
        last = chosen[limit - 1] if len(chosen) > limit else (ids[-1] if ids else None)
        reports = self._read_reports(chosen[:limit])
        return Page(reports, None, last if has_more else None, pauses.read_pause(suspended))

    def _read_reports(self, ids: Sequence[str]) -> tuple[Report, ...]:
        rows = zip(ids, read_rows(self.connection, ids, FIELDS), strict=True)
        reports = (read_report(task_id, row) for task_id, row in rows)
        return tuple(report for report in reports if report)

    def listen(self) -> PubSub:
        """Open the channel that carries the ids of reports that end or are deleted."""
        channel: PubSub = self.connection.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        return channel

    def pause(self, duration: timedelta | None = None) -> Pause:
        """Start no waiting report, for `duration` or until `resume`; running reports go on.

        An existing pause keeps its start and gets this end. Two round trips.
        """
        with self._guard():
            return pauses.pause(self.connection, duration)

    def resume(self) -> bool:
        """End the pause; False if there was no pause."""
        with self._guard():
            return pauses.resume(self.connection)

    def find_pause(self) -> Pause | None:
        """Return the pause of the queue, with its start and end; None if the queue is not paused."""
        return self.check().pause

    def list_workers(self) -> Sequence[WorkerRecord]:
        """Read the workers that are alive, by name. Three round trips."""
        with self._guard():
            return self._workers.list()

    def drain(self, names: Sequence[str]) -> None:
        """Make workers end after their current reports; raise NoSuchWorkerError before any is ordered."""
        with self._guard():
            self._workers.drain(names)

    def check(self) -> Condition:
        """Make sure that the broker answers; return its risks for reports, and the pause."""
        with self._guard():
            warnings, suspended = self._check()
        return Condition(warnings, pauses.read_pause(suspended))


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
