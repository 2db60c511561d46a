"""Waiting for reports to end: one reader of Redis in each process, whoever and however many wait."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import Any

from redis.exceptions import RedisError

from reports_worker import Report, ReportQueue
from reports_worker.broker.keys import ENDED_CHANNEL
from reports_worker.lib.periodic_thread import FailureLog
from reports_worker.queue.stored_entries import decode_id

READ_SECONDS = 1.0
RECONNECT_SECONDS = 0.5


class CompletionWaiter:
    """Lets at most `places` requests of this process wait, which is fewer than it has threads."""

    def __init__(self, queue: ReportQueue, *, places: int) -> None:
        self._queue = queue
        self._places = threading.BoundedSemaphore(places)
        self._lock = threading.Lock()
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)
        self._reader: threading.Thread | None = None
        self._failures = FailureLog("waiting for reports that end", expected=(RedisError, OSError))
        self._is_over = False

    def find_ended(self, task_id: str, *, seconds: int) -> tuple[Report | None, bool]:
        """Read a report, after it has ended or `seconds` have passed; say whether one could wait so long.

        That is not so where too many wait, and where the process ends. Costs one round trip without
        waiting, and three with it.
        """
        report = self._queue.find(task_id)
        if seconds == 0 or report is None or report.status.is_terminal:
            return report, True
        if self._is_over or not self._places.acquire(blocking=False):
            return report, False
        try:
            return self._wait(task_id, time.monotonic() + seconds), not self._is_over
        finally:
            self._places.release()

    def end_waits(self) -> None:
        """Answer all who wait, as it stands, and let nobody wait any more: the process is told to end.

        Not for a signal handler: it waits for a lock that the interrupted thread may hold.
        """
        self._is_over = True
        self._tell(None)

    def _wait(self, task_id: str, deadline: float) -> Report | None:
        told = threading.Event()
        self._add(task_id, told)
        try:
            while True:
                # Read after listening: it may have ended in between.
                report = self._queue.find(task_id)
                left = deadline - time.monotonic()
                if report is None or report.status.is_terminal or left <= 0 or self._is_over:
                    return report
                told.wait(left)
                told.clear()
        finally:
            self._remove(task_id, told)

    def _add(self, task_id: str, told: threading.Event) -> None:
        with self._lock:
            self._waiting[task_id].add(told)
            if self._reader is None:
                # Not before the first one waits: a server may fork after it has loaded the application.
                self._reader = threading.Thread(target=self._read, name="report-endings", daemon=True)
                self._reader.start()

    def _remove(self, task_id: str, told: threading.Event) -> None:
        with self._lock:
            self._waiting[task_id].discard(told)
            if not self._waiting[task_id]:
                del self._waiting[task_id]

    def _read(self) -> None:
        while not self._has_none_to_tell():
            try:
                self._listen()
            except Exception as error:  # whatever it is, those who wait need this thread
                self._failures.note(error)
                time.sleep(RECONNECT_SECONDS)

    def _has_none_to_tell(self) -> bool:
        """Let the reader end when nobody waits any more."""
        with self._lock:
            if self._waiting:
                return False
            self._reader = None
            return True

    def _listen(self) -> None:
        with self._queue.listen() as channel:
            # redis-py subscribes again by itself after a lost connection; nobody tells what ended meanwhile.
            channel.ignore_subscribe_messages = False
            channel.subscribe(ENDED_CHANNEL)
            while self._waiting:
                message = channel.get_message(timeout=READ_SECONDS)
                if message is not None:
                    self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        """Wake all waiters at the subscription, later those of a report that ended; ignore what names no report."""
        self._failures.note_success()
        if message["type"] == "subscribe":
            self._tell(None)
        elif task_id := decode_id(message["data"]):
            self._tell(task_id)

    def _tell(self, task_id: str | None) -> None:
        """Wake who waits for this report, or everybody."""
        with self._lock:
            events = [
                event
                for waited_for, events in self._waiting.items()
                if task_id in (None, waited_for)
                for event in events
            ]
        for event in events:
            event.set()
