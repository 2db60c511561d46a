"""RQ's worker, made to hold a lease on what it makes and to put back what it cannot finish."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.executions import Execution as RQExecution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import WorkerStatus
from rq.worker_registration import clean_worker_registry

from . import keys, registry
from .broker import connect, find_refusal
from .callback_sender import CallbackSender
from .deliveries import Deliveries
from .job import ReportJob
from .lease_keeper import LeaseKeeper
from .leases import Execution, Leases
from .making import Making
from .model import Failed, Reason
from .processes import die_with_parent
from .settings import Settings

log = logging.getLogger(__name__)

# RQ waits for a job until 15 s before its worker's time to live ends, and for Redis 10 s longer than that.
WORKER_TTL_SECONDS = 20
MAINTENANCE_SECONDS = 60
# RQ's record of an execution outlives the report's time limit: leases decide, never RQ's registries.
EXECUTION_MARGIN = timedelta(days=1)


class ReportWorker(Worker):
    """Makes the reports of one queue, each in a process of its own.

    Takes what `rq worker` gives; job class and times are not for the command line to choose.
    """

    job_class = ReportJob

    def __init__(self, queues: Any, *, settings: Settings | None = None, **options: Any) -> None:
        fixed = {
            "job_class": ReportJob,
            "worker_ttl": WORKER_TTL_SECONDS,
            "maintenance_interval": MAINTENANCE_SECONDS,
            "log_job_description": False,
        }
        super().__init__(queues, **options | fixed)
        self.settings = settings or Settings()
        self.leases = Leases(connect(self.settings.broker), retention=self.settings.retention)
        quick = Leases(connect(self.settings.broker, retries=0), retention=self.settings.retention)
        self.keeper = LeaseKeeper(quick, kill=self._kill_making)
        callbacks = self.settings.callbacks
        deliveries = Deliveries(
            connect(self.settings.broker), retention=self.settings.retention, delays=callbacks.delays
        )
        self.callbacks = CallbackSender(deliveries, callbacks)

    # -- start and stop

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        """Start, or say in one sentence why not and exit."""
        if refusal := self._find_refusal():
            raise SystemExit(f"This worker does not start: {refusal}")
        super().bootstrap(*arguments, **options)
        if not self.connection.exists(keys.REGISTRY):
            registry.rebuild(self.connection)
        self.keeper.start()
        self.callbacks.start()

    def _find_refusal(self) -> str | None:
        if self.queue_names() != [keys.QUEUE]:
            return f"it serves the one queue {keys.QUEUE!r}, not {', '.join(self.queue_names())!r}."
        if self.serializer is not JSONSerializer:
            return "it needs the JSON serializer: leave out --serializer."
        return find_refusal(self.connection)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ's own
        self.keeper.hand_back_after(self.settings.grace)

    def teardown(self) -> None:
        self.callbacks.stop()
        self.keeper.stop()
        super().teardown()  # type: ignore[no-untyped-call]  # RQ's own

    # -- one report

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Make one report. A broker that fails meanwhile ends nothing: the sweep puts the report back."""
        try:
            execution = self.prepare_execution(job)
            held = Execution(job.id, execution.id)
            if self._start(held, job, execution):
                self._make(held, job, queue, execution)
        except RedisError as error:
            log.warning("task %s: the broker failed: %s", job.id, error)
        finally:
            self.keeper.let_go()
            self.executions.clear()
            # RQ takes a signal to stop at once where the worker is idle, and else after the job.
            self._state = WorkerStatus.IDLE

    def _make(self, held: Execution, job: Job, queue: Queue, execution: RQExecution) -> None:
        try:
            self.fork_work_horse(job, queue)
            # Not before: what the keeper ends must have begun.
            self.keeper.hold(held)
            self.monitor_work_horse(job, queue, execution)
        except SystemExit:
            # A second signal to stop: RQ has killed the making process.
            self.leases.put_back(held, spent=False)
            raise

    def _start(self, held: Execution, job: Job, execution: RQExecution) -> bool:
        expires = timedelta(seconds=self.get_heartbeat_ttl(job))
        if self.leases.start(held, worker=self.name, expires=expires):
            return True
        log.warning("task %s: not made, since it is not waiting any more", job.id)
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline=pipeline, execution=execution)
            pipeline.execute()
        return False

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(self.pid or 0)
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: RQExecution) -> bool:  # noqa: ARG002
        """Make the report, in the forked process. Nothing of RQ's own ending applies: leases end a report."""
        leases = Leases(connect(self.settings.broker), retention=self.settings.retention)
        held = Execution(job.id, execution.id)
        if not isinstance(job, ReportJob) or job.report is None:
            return leases.publish(held, Failed(Reason.ERROR, "What stands in the queue is no report."))
        Making(
            report=job.report,
            execution=held,
            leases=leases,
            settings=self.settings,
            timeout=timedelta(seconds=float(job.timeout or 0)) or self.settings.timeout,
        ).run()
        return True

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,  # noqa: ARG002
        started_job_registry: Any = None,  # noqa: ARG002
        exc_string: str = "",
        execution: RQExecution | None = None,
    ) -> None:
        """Put back a report whose making process died; RQ calls this for no other reason here."""
        if execution is None:
            return
        outcome = self.leases.put_back(Execution(job.id, execution.id), spent=True)
        log.warning("task %s: %s now it is %s", job.id, exc_string, outcome or "another's")

    def _kill_making(self) -> None:
        if self.horse_pid:
            self.kill_horse()

    # -- what RQ does now and then

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        return int(float(job.timeout or 0) + EXECUTION_MARGIN.total_seconds())

    def maintain_heartbeats(self, job: Job, execution: RQExecution) -> None:  # noqa: ARG002
        """Tell Redis that the worker lives; that its report does, the lease keeper tells."""
        self.heartbeat()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Tell Redis that the worker lives. RQ's loop would quit over a heartbeat that fails."""
        try:
            super().heartbeat(timeout, pipeline)
        except RedisError as error:
            log.warning("cannot send a heartbeat: %s", error)

    def clean_registries(self) -> None:
        """Forget workers that are gone; what they held, the lease keeper sweeps up."""
        for queue in self.queues:
            clean_worker_registry(queue)
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares None alone
