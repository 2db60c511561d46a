"""RQ's worker, made to hold a lease on what it makes and to put back what it cannot finish."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from multiprocessing import active_children
from types import FrameType
from typing import Any

from redis.exceptions import RedisError, ResponseError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution as RQExecution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import WorkerStatus
from rq.worker_registration import register

from reports_worker.artifacts import open_store
from reports_worker.broker import keys
from reports_worker.broker.client import connect
from reports_worker.broker.errors import is_wrong_type
from reports_worker.broker.health import Findings, inspect
from reports_worker.domain.report import Failed, Reason, Report
from reports_worker.execution.limits import Limits
from reports_worker.execution.progress import log_stage
from reports_worker.execution.runner import ReportRunner
from reports_worker.execution.shared_state import SharedState
from reports_worker.execution.warmup import list_warmups
from reports_worker.lib.masking import known_secrets
from reports_worker.lib.periodic_thread import FailureLog
from reports_worker.lib.process import (
    adopt_orphans,
    die_with_parent,
    end_children,
    end_group,
    find_children,
    wait_for_end,
)
from reports_worker.queue import report_index as registry
from reports_worker.queue.callback_outbox import Deliveries
from reports_worker.queue.leases import Execution, Leases
from reports_worker.queue.worker_records import Workers
from reports_worker.settings.core import Settings
from reports_worker.webhooks.sender import CallbackSender

from .artifact_cleaner import ArtifactCleaner
from .job import ReportJob, ReportsQueue
from .lease_renewal import LeaseRenewal
from .process_death import Death
from .reconciler import Reconciler
from .standby_process import StandbyProcess

log = logging.getLogger(__name__)

# RQ waits for a job until 15 s before its worker's time to live ends, and here for Redis a little longer.
WORKER_TTL_SECONDS = 20
MAINTENANCE_SECONDS = 60
# RQ asks for up to three heartbeats with each report.
HEARTBEAT_SECONDS = 1.0
TRY_AGAIN_SECONDS = 1.0
ANSWER_SECONDS = 2
# RQ's record of an execution outlives the report's time limit: leases decide, never RQ's registries.
EXECUTION_MARGIN = timedelta(days=1)

Order = tuple[Execution, Report | None, float]


@dataclass(frozen=True)
class Factories:
    """What makes the parts of a worker that the fault suite and tests put doubles in for."""

    leases: Callable[..., Leases] = Leases
    runner: Callable[..., ReportRunner] = ReportRunner


_FACTORIES = Factories()


class ReportWorker(Worker):
    """Makes the reports of one queue, each in a process of its own.

    Takes what `rq worker` gives; job class and times are not for the command line to choose.
    """

    job_class = ReportJob
    queue_class = ReportsQueue
    # A broker that is back is noticed at once: RQ would wait for up to a minute.
    max_connection_wait_time = TRY_AGAIN_SECONDS

    def __init__(
        self,
        queues: Any,
        *,
        settings: Settings | None = None,
        factories: Factories = _FACTORIES,
        **options: Any,
    ) -> None:
        fixed = {
            "job_class": ReportJob,
            "queue_class": ReportsQueue,
            "worker_ttl": WORKER_TTL_SECONDS,
            "maintenance_interval": MAINTENANCE_SECONDS,
            "log_job_description": False,
        }
        super().__init__(queues, **options | fixed)
        # Before the code of a report can change the environment.
        known_secrets()
        self.settings = settings or Settings()
        self._factories = factories
        make_leases = partial(factories.leases, retention=self.settings.retention)
        self.leases = make_leases(connect(self.settings.broker))
        # Made before the fork, which is quicker, and used after it alone, so that no connection is shared.
        self.leases_of_job_process = make_leases(connect(self.settings.broker))
        quick = make_leases(connect(self.settings.broker, retries=0))
        self.shared = SharedState()
        self.lease_renewal = LeaseRenewal(quick, kill=self._kill_job_process, shared=self.shared)
        self._beat_at = 0.0
        self._execution_number = 1
        self._taking = FailureLog("taking a report")
        self._standby: StandbyProcess | None = None
        # Of the making process: its wait status once it has ended, and whether this worker has ended it.
        self._wait_status: int | None = None
        self._has_killed = False
        # What a container's start script has put beside the worker, say.
        self._children_before: frozenset[int] = frozenset()
        callbacks, retention = self.settings.callbacks, self.settings.retention
        deliveries = Deliveries(connect(self.settings.broker), retention=retention, delays=callbacks.delays)
        self.callbacks = CallbackSender(deliveries, callbacks)
        store = open_store(self.settings.data.artifacts)
        self.cleaner = ArtifactCleaner(connect(self.settings.broker), store, retention=retention)
        self.reconciler = Reconciler(connect(self.settings.broker), retention=retention)

    # -- start and stop

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        """Start, or say in one sentence why not and exit."""
        findings = self._inspect()
        if findings.refusal:
            raise SystemExit(f"This worker does not start: {findings.refusal}")
        for warning in findings.warnings:
            log.warning("%s", warning)
        self._children_before = find_children()
        adopt_orphans()
        try:
            super().bootstrap(*arguments, **options)
            if not self.connection.exists(keys.REGISTRY):
                registry.rebuild(self.connection)
        except ResponseError as error:
            raise SystemExit(f"This worker does not start: the broker refuses a command: {error}") from error
        self.lease_renewal.thread.start()
        self.callbacks.start()
        self.reconciler.thread.start()
        self.cleaner.thread.start()

    def _inspect(self) -> Findings:
        if self.queue_names() != [keys.QUEUE]:
            queues = ", ".join(self.queue_names())
            return Findings(f"it serves the one queue {keys.QUEUE!r}, not {queues!r}.")
        if self.serializer is not JSONSerializer:
            return Findings("it needs the JSON serializer: leave out --serializer.")
        return inspect(self.connection, replicas=self.settings.broker_replicas)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ's own
        self.lease_renewal.requeue_after(self.settings.grace)

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """End what is made at once. A further signal must not interrupt the return of the report to the queue."""
        handlers = {
            number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)
        }
        super().request_force_stop(signum, frame)
        # RQ ignores a signal that comes within a second of the first.
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def teardown(self) -> None:
        if self._standby is not None:
            self._standby.dismiss()
        self._end_children()
        self.cleaner.thread.stop()
        self.reconciler.thread.stop()
        self.callbacks.stop()
        self.lease_renewal.thread.stop()
        try:
            super().teardown()  # type: ignore[no-untyped-call]  # RQ's own
        except RedisError as error:
            log.warning("the broker was not told that this worker ends: %s", error)

    # -- one report

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Make one report. A broker that fails meanwhile ends nothing: the sweep puts the report back."""
        job.timeout = job.timeout or int(self.settings.timeout.total_seconds())
        try:
            execution = self._start(job)
            if execution:
                self._make(Execution(job.id, execution.id), job, queue, execution)
        except StopRequested:
            raise
        except RedisError as error:
            log.warning("task %s: the broker failed: %s", job.id, error)
            if is_wrong_type(error):
                self._remove_executions()
        except Exception:
            # RQ's loop would end the worker. The report is put back when its lease ends, as after a crash.
            log.exception("task %s: its worker failed", job.id)
            if self.horse_pid:
                self.kill_horse()
                self.wait_for_horse()
                self._horse_pid = 0
        finally:
            self.lease_renewal.release()
            self.executions.clear()
            # RQ takes a signal to stop at once where the worker is idle, and else after the job.
            self._state = WorkerStatus.IDLE

    def _remove_executions(self) -> None:
        """Remove what stands for RQ's list of this worker's executions: where that is none, no report begins."""
        with suppress(RedisError):
            self.connection.delete(self.executions_key)

    def _start(self, job: Job) -> RQExecution | None:
        """Take the lease; None if the report is not waiting any more."""
        execution = self.prepare_execution(job)
        expires = timedelta(seconds=self.get_heartbeat_ttl(job))
        self.shared.begin()
        held = Execution(job.id, execution.id)
        self._execution_number = self.leases.start(held, worker=self.name, expires=expires)
        if self._execution_number:
            return execution
        log.warning("task %s: not made now: it is not waiting any more, or the queue is paused", job.id)
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline=pipeline, execution=execution)
            pipeline.execute()
        return None

    def _make(self, held: Execution, job: Job, queue: Queue, execution: RQExecution) -> None:
        try:
            self.fork_work_horse(job, queue)
            # Not before: what the keeper ends must have begun.
            self.lease_renewal.hold(held)
            if isinstance(job, ReportJob) and job.report:
                # Here, since the other process has enough to do before its first line.
                log_stage(job.report, "started", 0, 0)
            self.monitor_work_horse(job, queue, execution)
            if not self.shared.has_ended:
                # It was killed, and the report put back already; or it left without a word.
                self._requeue(held)
        except SystemExit:
            # A second signal to stop: RQ has killed the making process.
            self.leases.requeue(held, spent=False)
            raise

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Give the report to the process that waits for it, or to one that is forked now."""
        standby, self._standby = self._standby, None
        self._wait_status, self._has_killed = None, False
        if standby is not None and standby.give(pickle.dumps(self._write_order(job))):
            self._horse_pid = standby.pid
        else:
            super().fork_work_horse(job, queue)
            # The child does so too: whichever comes first, its group is there before anything is to end it.
            with suppress(ProcessLookupError, PermissionError):
                os.setpgid(self.horse_pid, self.horse_pid)

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        """Wait until the making process has ended, and end what it has started.

        RQ calls it again where an alarm interrupts it. The process is reaped last: nothing else can have its
        pid, which the lease keeper may kill, or its group.
        """
        pid = self.horse_pid
        with suppress(ChildProcessError):
            self._wait_status = wait_for_end(pid)
            end_group(pid)
            self._end_children(pid)
            os.waitpid(pid, 0)
        return pid, self._wait_status, None

    def _end_children(self, *keep: int) -> None:
        """End every child that is none of the worker's own: such were started by a report, and have outlived it."""
        own = [child.pid for child in active_children() if child.pid]  # RQ's scheduler
        standby = [self._standby.pid] if self._standby else []
        end_children(keep={*keep, *own, *standby, *self._children_before})

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:  # noqa: ARG002 - RQ gives no other
        """End the making process and its group. RQ would ask which group it is in, and might end its own."""
        self._has_killed = True
        end_group(self.horse_pid)

    def _keep_standby(self) -> None:
        """Have a process wait for the next report: a fork takes a third of the time until one begins."""
        if self._standby is None and not self._stop_requested:
            self._standby = StandbyProcess(
                self._enter_standby, list_warmups(self.settings.data), self._follow_order
            )

    def _follow_order(self, order: bytes) -> None:
        """Make a report, in the process that waited for it. What it reads, its parent wrote."""
        self._make_ordered(*pickle.loads(order))  # noqa: S301

    def _enter_standby(self) -> None:
        os.setpgrp()
        self.enter_job_process()
        self.setup_work_horse_signals()  # type: ignore[no-untyped-call]  # RQ's own

    def enter_job_process(self) -> None:
        """Settle in a process that was just forked to make a report."""
        die_with_parent(self.pid or 0)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        self.enter_job_process()
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: RQExecution) -> bool:  # noqa: ARG002
        """Make the report, in the forked process. Nothing of RQ's own ending applies: leases end a report."""
        self._make_ordered(*self._write_order(job))
        return True

    def _write_order(self, job: Job) -> Order:
        report = job.report if isinstance(job, ReportJob) else None
        held = Execution(job.id, self.execution.id if self.execution else "", self._execution_number)
        return held, report, float(job.timeout or 0)

    def _make_ordered(self, held: Execution, report: Report | None, seconds: float) -> None:
        if report is None:
            failed = Failed(Reason.REJECTED, "What stands in the queue is no report.")
            self.leases_of_job_process.publish(held, failed)
            return
        time_limit = timedelta(seconds=seconds) or self.settings.timeout
        limits = Limits(time=time_limit, memory=self.settings.memory)
        make_runner = self._factories.runner
        make_runner(report, held, self.leases_of_job_process, self.settings, limits, self.shared).run()

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,  # noqa: ARG002
        started_job_registry: Any = None,  # noqa: ARG002
        exc_string: str = "",  # noqa: ARG002
        execution: RQExecution | None = None,
    ) -> None:
        """Put back a report whose making process died; RQ calls this for no other reason here."""
        if execution is not None:
            self._requeue(Execution(job.id, execution.id))

    def _requeue(self, held: Execution) -> None:
        """Put back a report whose making process has ended without a result, unless that is done already."""
        if self.lease_renewal.has_aborted(held):
            return
        death = Death(self._wait_status, by_worker=self._has_killed)
        if outcome := self.leases.requeue(held, spent=True, why=death.sentence):
            log.warning("task %s: its process ended %s, now it is %s", held.task_id, death, outcome)

    def _kill_job_process(self) -> None:
        if self.horse_pid:
            self.kill_horse()

    # -- what RQ does now and then

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        return int(float(job.timeout or 0) + EXECUTION_MARGIN.total_seconds())

    def maintain_heartbeats(self, job: Job, execution: RQExecution) -> None:  # noqa: ARG002
        """Tell Redis that the worker lives; that its report does, the lease keeper tells."""
        self.heartbeat()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Tell Redis that the worker lives, once a second at most. RQ's loop would quit where that fails."""
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        if time.monotonic() - self._beat_at < HEARTBEAT_SECONDS:
            return
        try:
            with self.connection.pipeline(transaction=False) as batch:
                super().heartbeat(timeout, batch)
                is_new, *_ = batch.execute()
            if is_new:
                self._register_again()
            self._beat_at = time.monotonic()
        except RedisError as error:
            log.warning("cannot send a heartbeat: %s", error)

    def _register_again(self) -> None:
        """Write the worker's record again: it had expired, or was removed with all that stood in the broker."""
        self.connection.hset(self.key, mapping=self.serialize())
        register(self)

    # -- a broker that fails, in whatever way, ends no worker

    @property
    def connection_timeout(self) -> int:
        """How long a broker may hang: with RQ's 10 s a worker would be late to follow a failover."""
        return self.dequeue_timeout + ANSWER_SECONDS

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a report; through errors, too, for which RQ's loop would quit."""
        self._keep_standby()
        while True:
            try:
                found = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except StopRequested:
                raise
            except Exception as error:  # whatever it is, the sweep counts it for the report that was taken
                self._taking.note(error)
                time.sleep(TRY_AGAIN_SECONDS)
            else:
                self._taking.note_success()
                return found

    def check_for_suspension(self, burst: bool) -> None:
        try:
            super().check_for_suspension(burst)
        except RedisError as error:
            log.warning("cannot ask whether the queue is paused: %s", error)

    def run_maintenance_tasks(self) -> None:
        """Forget workers that are gone. The lease keeper sweeps up what they held; RQ's groups are not used."""
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares None alone
        try:
            workers = Workers(self.connection)
            workers.forget_gone()
            workers.forget_odd_queues()
        except RedisError as error:
            log.warning("cannot forget workers that are gone: %s", error)
