"""SIGSTOP for longer than a lease lasts, then SIGCONT."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from faults.attempts.steps import IN_MAKING, IN_WORKER, Step
from faults.deployment import Deployment
from faults.fault import Fault
from harness.wait import pause
from reports_worker.queue.leases import LEASE

# So long that another worker has begun by then.
STOPPED_SECONDS = LEASE.total_seconds() + 5
_LATE_SECONDS = 2


def _inject_both(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    _stop(deployment, deployment.victim.find_family())


def _inject_worker(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    _stop(deployment, deployment.victim.find_family()[:1])


def _inject_making(deployment: Deployment, step: Step) -> None:  # noqa: ARG001
    """Its worker lives and renews the lease: work can go on when it does, and is to do so by itself."""
    making = deployment.find_job_process()
    deployment.freeze(making)
    pause(STOPPED_SECONDS)
    deployment.note_injection(*making)
    deployment.thaw(making)
    deployment.gates.open()


def _stop(deployment: Deployment, processes: Sequence[psutil.Process]) -> None:
    """The gate opens late, so that whoever was not stopped is still at its report when the lease is over."""
    deployment.note_injection(*deployment.victim.find_family())
    deployment.freeze(processes)
    pause(STOPPED_SECONDS)
    deployment.thaw(processes)
    pause(_LATE_SECONDS)
    deployment.gates.open()


FAULTS = (
    Fault("both-stopped", "SIGSTOP to worker and job process past the lease", IN_WORKER, _inject_both),
    Fault("worker-stopped", "SIGSTOP to the worker alone past the lease", IN_MAKING, _inject_worker),
    Fault("making-stopped", "SIGSTOP to the job process alone past the lease", IN_MAKING, _inject_making),
)
