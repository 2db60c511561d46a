"""The life cycle of a worker for operators: liveness, drain, and graceful shutdown."""

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
# A request to drain is sent on a channel and stored; a worker that missed the message finds the stored request.
DRAIN_CHECK_SECONDS = 5.0
# RQ's loop turns every few seconds, and every `job_monitoring_interval` while a report runs. A broker that hangs,
# or a host name that does not resolve, blocks the loop for minutes; a restart would not help.
STILL_SECONDS = 240.0
# The options of `rq worker` with which RQ's loop ends without a signal.
_SELF_ENDING_OPTIONS = ("burst", "max_jobs", "max_idle_time")


class OperatedWorker(ReportWorker):
    """Adds liveness, drain and graceful shutdown to the worker."""

    def __init__(
        self, queues: Any, *, settings: Settings, probe: Probe, liveness: Liveness, **options: Any
    ) -> None:
        super().__init__(queues, settings=settings, **options)
        self._probe = probe
        self._liveness = liveness
        self._service_manager = ServiceManager(os.environ)
        self._loop_moved_at = time.monotonic()
        self._listening = FailureLog("commands")
        self._is_stopping = False
        self._is_draining = False

    # -- from start to end

    def work(self, *arguments: Any, **options: Any) -> bool:
        """Work until a signal or command stops the worker. Any other end of RQ's loop exits with an error."""
        # RQ installs the handlers at the end of its start: a signal before that would kill the worker.
        self._install_signal_handlers()
        try:
            worked = super().work(*arguments, **options)
        except StopRequested:
            self._deregister()
            worked = False
        exit_on_signals()
        if not self._is_stopping and not any(options.get(name) for name in _SELF_ENDING_OPTIONS):
            raise SystemExit("This worker ends, since an error ended RQ's loop; see the lines before.")
        if self._is_draining:
            # The apphost reads this line, and does not restart a worker that has drained.
            log.info(logfmt(event="finished", worker=self.name, reason="drained"))
        return worked

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        if self._probe.refusal:
            raise SystemExit(f"This worker does not start: {self._probe.refusal}")
        super().bootstrap(*arguments, **options)
        self._loop_moved_at = time.monotonic()
        limit = STILL_SECONDS + self.job_monitoring_interval
        self._liveness.watch(
            Part("main loop", lambda: self._loop_moved_at, limit),
            Part("lease renewal", lambda: self.lease_renewal.thread.moved_at, limit),
        )
        if self._service_manager.every_seconds is not None:
            PeriodicThread("watchdog", self._service_manager.every_seconds, self._notify_watchdog).start()
        workers = Workers(connect(self.settings.broker, retries=0))
        PeriodicThread("drain-check", DRAIN_CHECK_SECONDS, lambda: self._check_drain_request(workers)).start()
        self._service_manager.notify("READY=1")

    def _deregister(self) -> None:
        """Remove the record of this worker, if it was registered before the signal."""
        if self.birth_date is None:
            return
        try:
            self.register_death()  # type: ignore[no-untyped-call]  # RQ's own
        except RedisError as error:
            log.warning("cannot deregister this worker from the broker: %s", error)

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]  # RQ's own
        signal.signal(DRAIN_SIGNAL, self._drain)

    def handle_warm_shutdown_request(self) -> None:
        self._is_stopping = True
        self._service_manager.notify("STOPPING=1")
        super().handle_warm_shutdown_request()

    def set_shutdown_requested_date(self) -> None:
        """Write the date for operators. An error in this signal handler would abort the running report."""
        with suppress(RedisError):
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]  # RQ's own

    def enter_job_process(self) -> None:
        super().enter_job_process()
        signal.signal(DRAIN_SIGNAL, signal.SIG_IGN)
        self._probe.close()

    # -- drain

    def _drain(self, *_: object) -> None:
        """Take no more reports, and end after the running report. A signal handler: runs on the main thread."""
        if self._is_stopping:
            return
        self._is_draining = self._is_stopping = True
        log.info("worker %s: drains", self.name)
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        self._stop_requested = True

    def handle_payload(self, message: Any) -> None:
        """Execute a command of the worker's channel, on RQ's thread for the channel.

        Of RQ's commands only `shutdown` is accepted; it does what SIGTERM does. The commands that stop a job
        bypass this product's cancel, and RQ would call a function that the job names.
        """
        command = _read_command(message)
        if command == DRAIN_COMMAND:
            self._send_drain()
        elif command == SHUTDOWN_COMMAND:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            log.warning("worker %s: an unsupported command is ignored: %.100r", self.name, command)

    def _pubsub_exception_handler(self, exc: Exception, *_: Any) -> None:
        """Continue to listen after any error; RQ would end its thread after most errors."""
        self._listening.note(exc)
        time.sleep(LISTEN_AGAIN_SECONDS)

    def _check_drain_request(self, workers: Workers) -> None:
        if self._is_draining:
            # A worker that drains on a signal has no request in Redis yet, and `workers` lists the request.
            workers.order(self.name)
        elif workers.is_ordered(self.name):
            self._send_drain()

    def _send_drain(self) -> None:
        """Interrupt the main thread, which may block while it waits for a report."""
        main = threading.main_thread().ident
        if main is not None and not self._is_draining:
            signal.pthread_kill(main, DRAIN_SIGNAL)

    # -- liveness

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        self._loop_moved_at = time.monotonic()
        if self._is_stopping and self.get_state() != WorkerStatus.BUSY:
            # The handler has raised it too, but the interrupted code, such as logging, may have caught it.
            raise StopRequested
        super().heartbeat(timeout, pipeline)
        self._loop_moved_at = time.monotonic()

    def _notify_watchdog(self) -> None:
        fault = self._liveness.find_fault()
        if fault:
            log.error("%s", fault)
        else:
            self._service_manager.notify("WATCHDOG=1")


def exit_on_signals() -> None:
    """Exit with code 0 on a signal that arrives before the worker starts or after it has ended."""
    for number in (signal.SIGTERM, signal.SIGINT, DRAIN_SIGNAL):
        signal.signal(number, lambda *_: os._exit(os.EX_OK))


def _read_command(message: Any) -> object:
    """Return the command of a message, or the message itself where it has none: any client can send one."""
    try:
        return json.loads(message["data"])["command"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return message["data"]
