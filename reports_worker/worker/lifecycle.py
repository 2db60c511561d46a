"""The worker as operators meet it: it drains when told to, answers whether it lives, and ends cleanly."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError
from rq.exceptions import StopRequested
from rq.worker import WorkerStatus

from reports_worker.broker.client import connect
from reports_worker.health.http_probe import Probe
from reports_worker.health.liveness import Liveness, Part
from reports_worker.health.systemd import ServiceManager
from reports_worker.lib.logfmt import logfmt
from reports_worker.lib.periodic_thread import FailureLog, PeriodicThread
from reports_worker.queue.worker_records import DRAIN_COMMAND, Workers
from reports_worker.settings.core import Settings

from .report_worker import ReportWorker

log = logging.getLogger(__name__)

DRAIN_SIGNAL = signal.SIGUSR1
SHUTDOWN_COMMAND = "shutdown"  # RQ's
LISTEN_AGAIN_SECONDS = 2.0
# An order is said at once; who missed it, since its connection was away, finds it kept.
LOOK_SECONDS = 5.0
# RQ's loop turns every few seconds, and every `job_monitoring_interval` while a report is made. A broker that
# hangs, or a name that nobody resolves, holds it up for minutes; that is no fault that a restart would mend.
STILL_SECONDS = 240.0
# Options of `rq worker` by which it ends by itself.
_ENDS = ("burst", "max_jobs", "max_idle_time")


class OperatedWorker(ReportWorker):
    """Adds to the making of reports what operators need around it."""

    def __init__(
        self, queues: Any, *, settings: Settings, probe: Probe, liveness: Liveness, **options: Any
    ) -> None:
        super().__init__(queues, settings=settings, **options)
        self._probe = probe
        self._liveness = liveness
        self._manager = ServiceManager(os.environ)
        self._turned_at = time.monotonic()
        self._listening = FailureLog("commands")
        self._is_told_to_end = False
        self._is_draining = False

    # -- from start to end

    def work(self, *arguments: Any, **options: Any) -> bool:
        """Work until told to end. Whatever else ends RQ's loop is a failure, and its exit code says so."""
        # RQ would do it once it has started: until then, signals would kill.
        self._install_signal_handlers()
        try:
            worked = super().work(*arguments, **options)
        except StopRequested:
            self._leave_before_work()
            worked = False
        leave_on_signals()
        if not self._is_told_to_end and not any(options.get(name) for name in _ENDS):
            raise SystemExit("This worker ends, since RQ's loop ended over an error; see the lines before.")
        if self._is_draining:
            # The apphost reads it: this is no death, so nothing is to be started again.
            log.info(logfmt(event="finished", worker=self.name, reason="drained"))
        return worked

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        if self._probe.refusal:
            raise SystemExit(f"This worker does not start: {self._probe.refusal}")
        super().bootstrap(*arguments, **options)
        self._turned_at = time.monotonic()
        limit = STILL_SECONDS + self.job_monitoring_interval
        self._liveness.watch(
            Part("main loop", lambda: self._turned_at, limit),
            Part("lease keeper", lambda: self.lease_renewal.thread.moved_at, limit),
        )
        if self._manager.every_seconds is not None:
            PeriodicThread("watchdog", self._manager.every_seconds, self._tell_manager).start()
        workers = Workers(connect(self.settings.broker, retries=0))
        PeriodicThread("orders", LOOK_SECONDS, lambda: self._look_for_order(workers)).start()
        self._manager.tell("READY=1")

    def _leave_before_work(self) -> None:
        """Take back what was written of this worker, if anything was."""
        if self.birth_date is None:
            return
        try:
            self.register_death()  # type: ignore[no-untyped-call]  # RQ's own
        except RedisError as error:
            log.warning("the broker was not told that this worker ends: %s", error)

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]  # RQ's own
        signal.signal(DRAIN_SIGNAL, self._drain)

    def handle_warm_shutdown_request(self) -> None:
        self._is_told_to_end = True
        self._manager.tell("STOPPING=1")
        super().handle_warm_shutdown_request()

    def set_shutdown_requested_date(self) -> None:
        """Write it for those who look; in a signal handler, where an error would cut off what is made."""
        with suppress(RedisError):
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]  # RQ's own

    def enter_job_process(self) -> None:
        super().enter_job_process()
        signal.signal(DRAIN_SIGNAL, signal.SIG_IGN)
        self._probe.close()

    # -- drain

    def _drain(self, *_: object) -> None:
        """Take nothing more, and end once what is made has ended. A signal handler: on the main thread."""
        if self._is_told_to_end:
            return
        self._is_draining = self._is_told_to_end = True
        log.info("worker %s: drains", self.name)
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        self._stop_requested = True

    def handle_payload(self, message: Any) -> None:
        """Obey what is said on the worker's channel, on RQ's thread for it.

        Of RQ's commands only `shutdown`, which is what SIGTERM does: those that stop a job go around our cancel,
        and RQ would call a function that the job names.
        """
        command = _read_command(message)
        if command == DRAIN_COMMAND:
            self._send_drain()
        elif command == SHUTDOWN_COMMAND:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            log.warning("worker %s: a command that it does not obey is ignored: %.100r", self.name, command)

    def _pubsub_exception_handler(self, exc: Exception, *_: Any) -> None:
        """Listen on after any error: RQ would end its thread over most of them."""
        self._listening.note(exc)
        time.sleep(LISTEN_AGAIN_SECONDS)

    def _look_for_order(self, workers: Workers) -> None:
        if self._is_draining:
            # A signal told it: then nobody else knows.
            workers.order(self.name)
        elif workers.is_ordered(self.name):
            self._send_drain()

    def _send_drain(self) -> None:
        """Interrupt the main thread, which may wait for a report."""
        main = threading.main_thread().ident
        if main is not None and not self._is_draining:
            signal.pthread_kill(main, DRAIN_SIGNAL)

    # -- liveness

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        self._turned_at = time.monotonic()
        if self._is_told_to_end and self.get_state() != WorkerStatus.BUSY:
            # Raised in the handler already; but whatever ran then, such as logging, may have kept it.
            raise StopRequested
        super().heartbeat(timeout, pipeline)
        self._turned_at = time.monotonic()

    def _tell_manager(self) -> None:
        fault = self._liveness.find_fault()
        if fault:
            log.error("%s", fault)
        else:
            self._manager.tell("WATCHDOG=1")


def leave_on_signals() -> None:
    """End well, and at once, on a signal that comes before there is a worker: nothing has begun."""
    for number in (signal.SIGTERM, signal.SIGINT, DRAIN_SIGNAL):
        signal.signal(number, lambda *_: os._exit(os.EX_OK))


def _read_command(message: Any) -> object:
    """Read the command of a message, or the message where it holds none: anyone can send one."""
    try:
        return json.loads(message["data"])["command"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return message["data"]
