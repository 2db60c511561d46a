"""The client for Python code: the same operations as the form and the JSON API."""

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
    """Requests and manages reports. Threads may share one object.

    All methods raise BrokerUnavailableError while the broker is unavailable.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Use `settings`, by default the settings of the environment; raise SettingsError if these are not valid."""
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
        """Request a report; return its task id, or the task id of an earlier report that `max_age` allows.

        `parameters` are as in JSON, where dates are text; a DateRange, dates and tuples are accepted too.
        `formats` are the file formats to write. With `max_age` (a number is in seconds), an earlier report of the
        same request is returned if it was completed within this age, or is waiting or running. `callback_url` is
        notified once the report has ended, if `REPORTS_CALLBACK_HOSTS` allows its host. Raises
        InvalidSubmissionError, and IdempotencyConflictError if the key was used for another request.
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
        """Request a report with the JSON body of a request; return also whether the report is an earlier one."""
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
        """The report types that can be requested, by name."""
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
        """Read a page of reports, newest first; `next_cursor` of a page is the `cursor` of the next page.

        With a status, type or query, one call reads at most 2,000 reports: a short page may have a next page.
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
        """Return the report once it has ended, or its current state after `timeout`.

        `on_progress` gets the report at each poll, four times a second. Raises NoSuchReportError.
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
        """Download a file of a completed report into the folder `to`; return the path of the copy.

        The file is read from the store of `ConnectionStrings__artifacts`, and compared with its receipt before it
        appears in the folder. `on_bytes` gets the size of each chunk. Raises NoSuchReportError if there is no such
        report or file, ArtifactGoneError if the stored file was removed or changed, StorageError, and OSError for
        the folder.
        """
        report = self.get(task_id)
        receipt = downloads.find_receipt(report, name)
        store = open_store(self._data.artifacts)
        return downloads.download(store, report, receipt, Path(to), on_bytes=on_bytes)

    def cancel(self, task_id: str) -> Status:
        """Cancel a waiting or running report. Raises NoSuchReportError, WrongStateError if it has ended."""
        return self._queue.cancel(task_id)

    def retry(self, task_id: str) -> None:
        """Run a failed report again. Raises NoSuchReportError, WrongStateError if it has not failed."""
        self._queue.retry(task_id)

    def delete(self, task_id: str) -> None:
        """Delete a report in any state. Raises NoSuchReportError."""
        self._queue.delete(task_id)

    # -- for operators

    def pause(self, duration: timedelta | None = None) -> Pause:
        """Pause the queue for `duration`, or until `resume`. Running reports continue; requests are accepted."""
        return self._queue.pause(duration)

    def resume(self) -> bool:
        """Resume the queue; workers follow within about a second. Returns False if the queue was not paused."""
        return self._queue.resume()

    def find_pause(self) -> Pause | None:
        """Return the pause of the queue with its start and end; None if the queue is not paused."""
        return self._queue.find_pause()

    def workers(self) -> Sequence[WorkerRecord]:
        """Read the running workers, sorted by name."""
        return self._queue.list_workers()

    def drain(self, *names: str) -> None:
        """Let workers complete their running reports, without a time limit, and then end.

        Raises NoSuchWorkerError if there is no worker of one of these names; then no worker drains.
        """
        self._queue.drain(names)


def _to_seconds(age: timedelta | int | None) -> object:
    if not isinstance(age, timedelta):
        return age
    return int(age.total_seconds()) if age.total_seconds().is_integer() else age.total_seconds()
