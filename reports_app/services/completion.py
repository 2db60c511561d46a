"""Long polling: requests wait for reports to end, with one Redis subscription for each process."""

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
    """Lets at most `max_waiting` requests of this process wait, so that threads stay free for other requests."""

    def __init__(self, queue: ReportQueue, *, max_waiting: int) -> None:
        self._queue = queue
        self._slots = threading.BoundedSemaphore(max_waiting)
        self._lock = threading.Lock()
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)
        self._reader: threading.Thread | None = None
        self._failures = FailureLog("waiting for reports that end", expected=(RedisError, OSError))
        self._is_ending = False

    def find_ended(self, task_id: str, *, seconds: int) -> tuple[Report | None, bool]:
        """Return the report once it has ended or `seconds` have passed, and whether the full wait was possible.

        The full wait is impossible while too many requests wait, and while the process shuts down. Costs one round
        trip without waiting, and three with it.
        """
        report = self._queue.find(task_id)
        if seconds == 0 or report is None or report.status.is_terminal:
            return report, True
        if self._is_ending or not self._slots.acquire(blocking=False):
            return report, False
        try:
            return self._wait(task_id, time.monotonic() + seconds), not self._is_ending
        finally:
            self._slots.release()

    def end_waits(self) -> None:
        """Let all waiting requests return the current state, and refuse further waits: the process shuts down.

        Do not call this from a signal handler: it takes a lock that the interrupted thread may hold.
        """
        self._is_ending = True
        self._wake(None)

    def _wait(self, task_id: str, deadline: float) -> Report | None:
        changed = threading.Event()
        self._add(task_id, changed)
        try:
            while True:
                # Read after subscribing: the report may have ended in between.
                report = self._queue.find(task_id)
                remaining = deadline - time.monotonic()
                if report is None or report.status.is_terminal or remaining <= 0 or self._is_ending:
                    return report
                changed.wait(remaining)
                changed.clear()
        finally:
            self._remove(task_id, changed)

    def _add(self, task_id: str, changed: threading.Event) -> None:
        with self._lock:
            self._waiting[task_id].add(changed)
            if self._reader is None:
                # Not before the first wait: a server may fork after it has loaded the application.
                self._reader = threading.Thread(target=self._read, name="completion-waiter", daemon=True)
                self._reader.start()

    def _remove(self, task_id: str, changed: threading.Event) -> None:
        with self._lock:
            self._waiting[task_id].discard(changed)
            if not self._waiting[task_id]:
                del self._waiting[task_id]

    def _read(self) -> None:
        while not self._stop_if_idle():
            try:
                self._listen()
            except Exception as error:  # waiting requests need this thread, so it survives any error
                self._failures.note(error)
                time.sleep(RECONNECT_SECONDS)

    def _stop_if_idle(self) -> bool:
        """Return True, and forget the reader thread, if no request waits."""
        with self._lock:
            if self._waiting:
                return False
            self._reader = None
            return True

    def _listen(self) -> None:
        with self._queue.listen() as channel:
            # redis-py subscribes again after a lost connection, but messages in between are lost.
            channel.ignore_subscribe_messages = False
            channel.subscribe(ENDED_CHANNEL)
            while self._waiting:
                message = channel.get_message(timeout=READ_SECONDS)
                if message is not None:
                    self._handle_message(message)

    def _handle_message(self, message: dict[str, Any]) -> None:
        """Wake all requests at a subscription, else those that wait for the ended report.

        A message without a valid task id is ignored.
        """
        self._failures.note_success()
        if message["type"] == "subscribe":
            self._wake(None)
        elif task_id := decode_id(message["data"]):
            self._wake(task_id)

    def _wake(self, task_id: str | None) -> None:
        """Wake the requests that wait for this report; all requests if `task_id` is None."""
        with self._lock:
            events = [
                event
                for waited_for, events in self._waiting.items()
                if task_id in (None, waited_for)
                for event in events
            ]
        for event in events:
            event.set()
