"""RQ's worker with a lease on the running report, and with a requeue of a report that it cannot finish."""

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

from reports_worker import __version__
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
from reports_worker.execution.warmup import preload, warm_up
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

# RQ waits for a job until 15 s before the worker's time to live ends; see also `connection_timeout`.
WORKER_TTL_SECONDS = 20
MAINTENANCE_SECONDS = 60
# RQ calls `heartbeat` up to three times for each report.
HEARTBEAT_SECONDS = 1.0
RETRY_SECONDS = 1.0
RESPONSE_SECONDS = 2
# RQ's record of an execution outlives the report's time limit: leases decide, never RQ's registries.
EXECUTION_MARGIN = timedelta(days=1)

# An execution, its report (None where the record is no valid report), and the report's timeout in seconds.
JobOrder = tuple[Execution, Report | None, float]


@dataclass(frozen=True)
class Factories:
    """Factories of the parts of a worker that the fault suite and tests replace by doubles."""

    leases: Callable[..., Leases] = Leases
    runner: Callable[..., ReportRunner] = ReportRunner


_FACTORIES = Factories()


class ReportWorker(Worker):
    """Runs the reports of one queue, each in a job process of its own.

    Takes the arguments of `rq worker`, except classes and times, which are fixed.
    """

    job_class = ReportJob
    queue_class = ReportsQueue
    # RQ would wait for up to a minute before it tries a broker that is back.
    max_connection_wait_time = RETRY_SECONDS

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
        # Read the secrets before the code of a report can change the environment.
        known_secrets()
        self.settings = settings or Settings()
        self._factories = factories
        make_leases = partial(factories.leases, retention=self.settings.retention)
        self.leases = make_leases(connect(self.settings.broker))
        # Created before the fork, which is faster, and used only after the fork, so that processes share no connection.
        self.leases_of_job_process = make_leases(connect(self.settings.broker))
        leases_without_retry = make_leases(connect(self.settings.broker, retries=0))
        self.shared_state = SharedState()
        self.lease_renewal = LeaseRenewal(
            leases_without_retry, kill=self._kill_job_process, shared_state=self.shared_state
        )
        self._heartbeat_at = 0.0
        self._execution_number = 1
        self._taking = FailureLog("taking a report")
        self._standby: StandbyProcess | None = None
        # The job process' wait status once it has ended, and whether this worker has killed it.
        self._wait_status: int | None = None
        self._has_killed = False
        # Children from before the start, such as those of a container's start script, must survive reports.
        self._children_before: frozenset[int] = frozenset()
        callbacks, retention = self.settings.callbacks, self.settings.retention
        deliveries = Deliveries(connect(self.settings.broker), retention=retention, delays=callbacks.delays)
        self.callbacks = CallbackSender(deliveries, callbacks)
        store = open_store(self.settings.data.artifacts)
        self.cleaner = ArtifactCleaner(connect(self.settings.broker), store, retention=retention)
        self.reconciler = Reconciler(connect(self.settings.broker), retention=retention)

    # -- start and stop

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        """Start, or exit with one sentence that gives the reason."""
        findings = self._inspect()
        if findings.refusal:
            raise SystemExit(f"This worker does not start: {findings.refusal}")
        for warning in findings.warnings:
            log.warning("%s", warning)
        preload(self.settings.data, StopRequested)
        self._children_before = find_children()
        adopt_orphans()
        try:
            super().bootstrap(*arguments, **options)
            log.info("worker %s: background-reports %s", self.name, __version__)
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
            return Findings(f"it serves only the queue {keys.QUEUE!r}, not {queues!r}.")
        if self.serializer is not JSONSerializer:
            return Findings("it needs the JSON serializer: leave out --serializer.")
        return inspect(self.connection, replicas=self.settings.broker_replicas)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ's own
        self.lease_renewal.requeue_after(self.settings.grace)

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """End the running report at once. Further signals are ignored, so that they do not interrupt the requeue."""
        handlers = {
            number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)
        }
        super().request_force_stop(signum, frame)
        # RQ ignores a signal within a second of the first, and returns: then the handlers are needed again.
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def teardown(self) -> None:
        if self._standby is not None:
            self._standby.kill()
        self._end_children()
        self.cleaner.thread.stop()
        self.reconciler.thread.stop()
        self.callbacks.stop()
        self.lease_renewal.thread.stop()
        try:
            super().teardown()  # type: ignore[no-untyped-call]  # RQ's own
        except RedisError as error:
            log.warning("cannot deregister this worker from the broker: %s", error)

    # -- one report

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run one report. After an error of the broker the worker continues, and the sweep requeues the report."""
        job.timeout = job.timeout or int(self.settings.timeout.total_seconds())
        try:
            rq_execution = self._start(job)
            if rq_execution:
                self._run(Execution(job.id, rq_execution.id), job, queue, rq_execution)
        except StopRequested:
            raise
        except RedisError as error:
            log.warning("task %s: the broker failed: %s", job.id, error)
            if is_wrong_type(error):
                self._remove_executions()
        except Exception:
            # RQ's loop would end the worker. The sweep requeues the report when its lease expires, as after a crash.
            log.exception("task %s: its worker failed", job.id)
            if self.horse_pid:
                self.kill_horse()
                self.wait_for_horse()
                self._horse_pid = 0
        finally:
            self.lease_renewal.release()
            self.executions.clear()
            # RQ stops at once on a signal where the worker is idle, and otherwise after the job.
            self._state = WorkerStatus.IDLE

    def _remove_executions(self) -> None:
        """Remove RQ's list of this worker's executions: no report begins where the key has another type."""
        with suppress(RedisError):
            self.connection.delete(self.executions_key)

    def _start(self, job: Job) -> RQExecution | None:
        """Acquire the lease; return None if the report is no longer waiting, or the queue is paused."""
        rq_execution = self.prepare_execution(job)
        expires = timedelta(seconds=self.get_heartbeat_ttl(job))
        self.shared_state.begin()
        execution = Execution(job.id, rq_execution.id)
        self._execution_number = self.leases.start(execution, worker=self.name, expires=expires)
        if self._execution_number:
            return rq_execution
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline=pipeline, execution=rq_execution)
            pipeline.exists(keys.SUSPENDED)
            *_, is_paused = pipeline.execute()
        reason = "the queue is paused" if is_paused else "it is no longer waiting"
        log.info("task %s: not started: %s", job.id, reason)
        return None

    def _run(self, execution: Execution, job: Job, queue: Queue, rq_execution: RQExecution) -> None:
        try:
            self.fork_work_horse(job, queue)
            # After the fork: the renewal thread may kill the job process from here on.
            self.lease_renewal.acquire(execution)
            if isinstance(job, ReportJob) and job.report:
                # Logged by the worker, since each line delays the first line of the job process.
                log_stage(job.report, "started", 0, 0)
            self.monitor_work_horse(job, queue, rq_execution)
            if not self.shared_state.has_ended:
                # The job process has ended without an outcome. If it was killed, the report is already requeued.
                self._requeue(execution)
        except SystemExit:
            # After a second signal to stop: RQ has killed the job process.
            self.leases.requeue(execution, spent=False)
            raise

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Send the report to the standby process, or fork a job process if there is none."""
        standby, self._standby = self._standby, None
        self._wait_status, self._has_killed = None, False
        if standby is not None and standby.send(pickle.dumps(self._make_order(job))):
            self._horse_pid = standby.pid
        else:
            super().fork_work_horse(job, queue)
            # The child sets its group too. Both do, so that the group exists before anything can kill it.
            with suppress(ProcessLookupError, PermissionError):
                os.setpgid(self.horse_pid, self.horse_pid)

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        """Wait until the job process has ended, and kill the processes that it has started.

        RQ calls this again where an alarm interrupts the wait. The job process is reaped last, so that no other
        process can get its pid, which the renewal thread may kill, or its group.
        """
        pid = self.horse_pid
        with suppress(ChildProcessError):
            self._wait_status = wait_for_end(pid)
            end_group(pid)
            self._end_children(pid)
            os.waitpid(pid, 0)
        return pid, self._wait_status, None

    def _end_children(self, *keep: int) -> None:
        """Kill every child except the worker's own: the others were started by a report, and have outlived it."""
        own = [child.pid for child in active_children() if child.pid]  # RQ's scheduler
        standby = [self._standby.pid] if self._standby else []
        end_children(keep={*keep, *own, *standby, *self._children_before})

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:  # noqa: ARG002 - RQ gives no other
        """Kill the job process and its group. RQ would read the group of the process, and might kill its own."""
        self._has_killed = True
        end_group(self.horse_pid)

    def _keep_standby(self) -> None:
        """Fork a standby process for the next report: a fork takes a third of the time from request to start."""
        if self._standby is None and not self._stop_requested:
            self._standby = StandbyProcess(
                self._enter_standby, partial(warm_up, self.settings.data), self._handle_message
            )

    def _handle_message(self, message: bytes) -> None:
        """Run a report, in the standby process. Its parent has pickled the message."""
        self._run_order(*pickle.loads(message))  # noqa: S301

    def _enter_standby(self) -> None:
        os.setpgrp()
        self.enter_job_process()
        self.setup_work_horse_signals()  # type: ignore[no-untyped-call]  # RQ's own

    def enter_job_process(self) -> None:
        """Set up a job process or standby process right after its fork."""
        die_with_parent(self.pid or 0)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        self.enter_job_process()
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: RQExecution) -> bool:  # noqa: ARG002
        """Run the report, in the job process. RQ's own end of a job is not used: leases end a report."""
        self._run_order(*self._make_order(job))
        return True

    def _make_order(self, job: Job) -> JobOrder:
        report = job.report if isinstance(job, ReportJob) else None
        execution = Execution(job.id, self.execution.id if self.execution else "", self._execution_number)
        return execution, report, float(job.timeout or 0)

    def _run_order(self, execution: Execution, report: Report | None, seconds: float) -> None:
        leases = self.leases_of_job_process
        if report is None:
            leases.publish(
                execution, Failed(Reason.REJECTED, "The entry in the queue is not a valid report.")
            )
            return
        time_limit = timedelta(seconds=seconds) or self.settings.timeout
        limits = Limits(time=time_limit, memory=self.settings.memory)
        make_runner = self._factories.runner
        make_runner(report, execution, leases, self.settings, limits, self.shared_state).run()

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,  # noqa: ARG002
        started_job_registry: Any = None,  # noqa: ARG002
        exc_string: str = "",  # noqa: ARG002
        execution: RQExecution | None = None,
    ) -> None:
        """Requeue a report whose job process died, which is the only case in which RQ calls this."""
        if execution is not None:
            self._requeue(Execution(job.id, execution.id))

    def _requeue(self, execution: Execution) -> None:
        """Requeue a report whose job process has ended without an outcome, unless it is already requeued."""
        if self.lease_renewal.has_aborted(execution):
            return
        death = Death(self._wait_status, by_worker=self._has_killed)
        if outcome := self.leases.requeue(execution, spent=True, why=death.sentence):
            log.warning(
                "task %s: its process ended %s, now the report is %s", execution.task_id, death, outcome
            )

    def _kill_job_process(self) -> None:
        if self.horse_pid:
            self.kill_horse()

    # -- heartbeats

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        return int(float(job.timeout or 0) + EXECUTION_MARGIN.total_seconds())

    def maintain_heartbeats(self, job: Job, execution: RQExecution) -> None:  # noqa: ARG002
        """Send a heartbeat of the worker alone: lease renewal is the heartbeat of the report."""
        self.heartbeat()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Send a heartbeat, once a second at most. RQ's loop would end the worker after an error of the broker."""
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        if time.monotonic() - self._heartbeat_at < HEARTBEAT_SECONDS:
            return
        try:
            with self.connection.pipeline(transaction=False) as batch:
                super().heartbeat(timeout, batch)
                is_new, *_ = batch.execute()
            if is_new:
                self._register_again()
            self._heartbeat_at = time.monotonic()
        except RedisError as error:
            log.warning("cannot send a heartbeat: %s", error)

    def _register_again(self) -> None:
        """Write the worker's record again after it has expired, or after the broker has lost its data."""
        self.connection.hset(self.key, mapping=self.serialize())
        register(self)

    # -- errors of the broker, none of which ends the worker

    @property
    def connection_timeout(self) -> int:
        """The socket timeout in seconds. With RQ's 10 s more, a worker would follow a failover late."""
        return self.dequeue_timeout + RESPONSE_SECONDS

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a report, and continue after errors that would end RQ's loop."""
        self._keep_standby()
        while True:
            try:
                found = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except StopRequested:
                raise
            except Exception as error:  # if a report was taken, the sweep requeues and counts it
                self._taking.note(error)
                time.sleep(RETRY_SECONDS)
            else:
                self._taking.note_success()
                return found

    def check_for_suspension(self, burst: bool) -> None:
        try:
            super().check_for_suspension(burst)
        except RedisError as error:
            log.warning("cannot read whether the queue is paused: %s", error)

    def run_maintenance_tasks(self) -> None:
        """Remove records of workers that are gone. The sweep requeues their reports; RQ's groups are not used."""
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares None alone
        try:
            workers = Workers(self.connection)
            workers.forget_gone()
            workers.forget_odd_queues()
        except RedisError as error:
            log.warning("cannot remove the records of workers that are gone: %s", error)
