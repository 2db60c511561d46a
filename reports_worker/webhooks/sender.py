"""The worker's deliveries of callbacks, on their own threads: a receiver that hangs delays no report."""

from __future__ import annotations

import logging
import ssl
import threading

from reports_worker.domain.callback_url import find_fault
from reports_worker.lib import clock
from reports_worker.lib.logfmt import logfmt
from reports_worker.lib.periodic_thread import PeriodicThread
from reports_worker.queue.callback_outbox import Attempt, Deliveries, Delivery
from reports_worker.settings.webhooks import CallbackSettings

from .message import sign, write_body
from .safe_post import PostError, post

log = logging.getLogger(__name__)

# Each host gets one delivery at a time: so many hosts may hang, for the seconds of an attempt, before deliveries to
# other hosts wait.
THREADS = 4
IDLE_SECONDS = 1.0


class CallbackSender:
    """Sends due deliveries, at least once; idle when no hosts are allowed."""

    def __init__(self, deliveries: Deliveries, settings: CallbackSettings) -> None:
        self._deliveries = deliveries
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        self._claiming = threading.Lock()
        self._busy: set[str] = set()
        self._threads = [
            PeriodicThread(f"callbacks-{number}", IDLE_SECONDS, self.deliver_one)
            for number in range(THREADS if settings.hosts else 0)
        ]

    def start(self) -> None:
        if not self._threads:
            return
        self._tls = ssl.create_default_context()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Claim no more deliveries. Another worker repeats one that does not end within a second."""
        for thread in self._threads:
            thread.stop(wait_seconds=IDLE_SECONDS / THREADS)

    def deliver_one(self) -> bool:
        """Send the first due delivery to a host without another delivery; False if none is due."""
        delivery = self._claim()
        if delivery is None:
            return False
        try:
            attempt = self._send(delivery)
        finally:
            with self._claiming:
                self._busy.remove(delivery.host)
        status = self._deliveries.record(delivery, attempt, now=clock.now())
        log.info(
            logfmt(
                event="callback",
                webhook_id=delivery.message_id,
                attempt=delivery.attempts + 1,
                answer=attempt.status,
                error=attempt.error or None,
                status=status or "dropped",
            )
        )
        return True

    def _claim(self) -> Delivery | None:
        with self._claiming:
            delivery = self._deliveries.claim(busy=self._busy)
            if delivery is not None:
                self._busy.add(delivery.host)
            return delivery

    def _send(self, delivery: Delivery) -> Attempt:
        # Checked again: the allowed hosts may have changed since, and other programs can write into Redis.
        if fault := find_fault(delivery.url, self._settings.hosts):
            return Attempt(error=fault)
        body = write_body(delivery.report)
        secret, message_id = self._settings.secret, delivery.message_id
        headers = sign(body, message_id=message_id, sent_at=clock.now(), secret=secret)
        try:
            status = post(
                delivery.url, body, headers, allow_private=self._settings.allow_private, tls=self._tls
            )
        except PostError as error:
            return Attempt(error=str(error))
        except Exception as error:
            log.exception("a callback raised")
            return Attempt(error=f"It could not be sent: {type(error).__name__}")
        return Attempt(status, "" if 200 <= status < 300 else f"It answered {status}.")
