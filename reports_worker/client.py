"""Reports from Python code, as from form and JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from reports_worker.broker.client import connect
from reports_worker.catalog.find import find_types
from reports_worker.domain.idempotency import IdempotencyKey
from reports_worker.domain.report import ANONYMOUS, Accepted, Page, Pause, Report, Status
from reports_worker.domain.submission import parse_submission
from reports_worker.domain.type_description import TypeDescription
from reports_worker.queue.report_queue import MOST_LISTED, ReportQueue
from reports_worker.queue.selection import Selection
from reports_worker.queue.worker_records import WorkerRecord
from reports_worker.settings.core import Settings

from .artifacts import download as downloads
from .artifacts import open_store
from .errors import NoSuchReportError
from .lib import clock
from .parameters import to_json

POLL_SECONDS = 0.25


class Reports:
    """Asks for reports and looks at them. One may be shared by threads.

    All methods raise BrokerUnavailableError while the broker is away.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Use `settings`, or those of the environment; raise SettingsError if these are not valid."""
        settings = settings or Settings.from_environ(os.environ)
        self._callback_hosts = settings.callbacks.hosts
        self._data = settings.data
        self._queue = ReportQueue(
            connect(settings.broker),
            timeout=settings.timeout,
            retention=settings.retention,
            replicas=settings.broker_replicas,
        )

    def submit(
        self,
        title: str,
        type: str,  # noqa: A002 - the contract's own name
        parameters: Mapping[str, Any] | None = None,
        *,
        formats: Sequence[str] | None = None,
        max_age: timedelta | int | None = None,
        callback_url: str | None = None,
        requester: str = ANONYMOUS,
        idempotency_key: str | None = None,
    ) -> str:
        """Ask for a report; return its task id, or that of an earlier one that `max_age` lets serve.

        `parameters` are as in JSON, where dates are text; a DateRange, dates and tuples will do too.
        `formats` are the files wanted. A completed report of the same, no older than `max_age` (seconds if it
        is a number), or one that is being made, serves instead of another. `callback_url` is told once the
        report has ended, if `REPORTS_CALLBACK_HOSTS` allows its host. Raises InvalidSubmissionError, and
        IdempotencyConflictError if the key was used for another request.
        """
        given: dict[str, Any] = {
            "parameters": None if parameters is None else to_json(parameters),
            "formats": formats,
            "max_age": _to_seconds(max_age),
            "callback_url": callback_url,
        }
        return self.accept(
            {"title": title, "type": type, **{name: one for name, one in given.items() if one is not None}},
            requester=requester,
            idempotency_key=idempotency_key,
        ).task_id

    def accept(
        self, data: object, *, requester: str = ANONYMOUS, idempotency_key: str | None = None
    ) -> Accepted:
        """Ask for a report with what would be the body of a request; tell whether an earlier one serves."""
        submission = parse_submission(
            data,
            types=self.types,
            calendar=self._data.calendar(clock.now()),
            requester=requester,
            callback_hosts=self._callback_hosts,
        )
        key = IdempotencyKey.of(idempotency_key, submission) if idempotency_key is not None else None
        return self._queue.accept(submission, idempotency_key=key)

    @property
    def types(self) -> Mapping[str, TypeDescription]:
        """What can be asked for, by name."""
        return find_types(self._data)

    def get(self, task_id: str) -> Report:
        """Read a report. Raises NoSuchReportError."""
        report = self._queue.find(task_id)
        if report is None:
            raise NoSuchReportError(f"There is no report {task_id!r}.")
        return report

    def list(
        self,
        *,
        status: Status | None = None,
        type: str | None = None,  # noqa: A002 - the contract's own name
        query: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Read a page of reports, newest first; `next_cursor` of one page is the `cursor` of the next.

        A page with a status, type or query looks at 2,000 reports: it may be short and still have a next one.
        """
        if not 1 <= limit <= MOST_LISTED:
            raise ValueError(f"limit={limit!r} is not valid: give 1 to {MOST_LISTED}")
        return self._queue.list(limit=limit, cursor=cursor, selection=Selection(status, type, query))

    def wait(
        self,
        task_id: str,
        *,
        timeout: timedelta | None = None,
        on_progress: Callable[[Report], None] | None = None,
    ) -> Report:
        """Return the report once it has ended, or as it is after `timeout`.

        `on_progress` is given the report at each look, four times a second. Raises NoSuchReportError.
        """
        deadline = None if timeout is None else time.monotonic() + timeout.total_seconds()
        while True:
            report = self.get(task_id)
            if on_progress is not None:
                on_progress(report)
            if report.status.is_terminal or (deadline is not None and time.monotonic() >= deadline):
                return report
            time.sleep(POLL_SECONDS)

    def download(
        self,
        task_id: str,
        name: str,
        to: Path | str,
        *,
        on_bytes: Callable[[int], object] = lambda _: None,
    ) -> Path:
        """Copy a file of a completed report into the folder `to`; return its path there.

        It is read where `ConnectionStrings__artifacts` says, and compared with its receipt before it appears.
        `on_bytes` is told the size of each piece. Raises NoSuchReportError if there is no such report or file,
        ArtifactGoneError if somebody removed or changed it, StorageError, and OSError for the folder.
        """
        report = self.get(task_id)
        receipt = downloads.find_receipt(report, name)
        store = open_store(self._data.artifacts)
        return downloads.download(store, report, receipt, Path(to), on_bytes=on_bytes)

    def cancel(self, task_id: str) -> Status:
        """Cancel a report that waits or runs. Raises NoSuchReportError, WrongStateError if it has ended."""
        return self._queue.cancel(task_id)

    def retry(self, task_id: str) -> None:
        """Make a failed report again. Raises NoSuchReportError, WrongStateError if it has not failed."""
        self._queue.retry(task_id)

    def delete(self, task_id: str) -> None:
        """Delete a report, whatever its state. Raises NoSuchReportError."""
        self._queue.delete(task_id)

    # -- for operators

    def pause(self, duration: timedelta | None = None) -> Pause:
        """Begin nothing that waits, for `duration` or until `resume`. What runs goes on, and asking too."""
        return self._queue.pause(duration)

    def resume(self) -> bool:
        """Go on; within a second or so, workers do. False if the queue was not paused."""
        return self._queue.resume()

    def find_pause(self) -> Pause | None:
        """Say whether the queue is paused, since when and until when."""
        return self._queue.find_pause()

    def workers(self) -> Sequence[WorkerRecord]:
        """Read the workers that live, by name."""
        return self._queue.list_workers()

    def drain(self, *names: str) -> None:
        """Have workers end once they have made what they make, however long that takes.

        Raises NoSuchWorkerError, having told none, if there is none of one of these names.
        """
        self._queue.drain(names)


def _to_seconds(age: timedelta | int | None) -> object:
    if not isinstance(age, timedelta):
        return age
    return int(age.total_seconds()) if age.total_seconds().is_integer() else age.total_seconds()
