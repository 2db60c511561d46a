"""The previous version beside this one, both ways round, with reports in every status.

API and workers are of different versions. Then the workers are replaced by those of the other version, while reports
wait and run. At each point both versions must show every report alike, and in the end none may be lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from faults.attempts.steps import Step
from faults.deployment import Deployment, Needs
from faults.errors import FaultsError
from faults.fault import Fault
from faults.versions.comparison import Expectation, find_faults
from faults.versions.product import Product, take_current, take_previous
from faults.versions.report_type import FAILS, HELD, NAME, open_gate, write_type
from faults.versions.site import Site
from harness.errors import DeadlineError
from harness.wait import wait_until

_WORKERS = 2
_SEEN_SECONDS = 60
_MOST_NAMED = 5
_BESIDE = Needs(workers=1, report_seconds="0", submit_every_seconds=1.0, grace="1s", previous_version=True)


@dataclass
class _Beside:
    """The APIs of both versions over one broker, and how each report of the scenario is to be shown."""

    deployment: Deployment
    types: Path
    old: Site
    new: Site
    expected: dict[str, Expectation] = field(default_factory=dict)

    def other(self, site: Site) -> Site:
        return self.old if site is self.new else self.new

    def request(self, site: Site, title: str, status: str, reason: str | None = None) -> str:
        """Have a report requested by one version, and note how it is to end or to stand."""
        title = f"{title}, requested from version {site.version}"
        task_id = site.request_report(title, NAME, {"rows": 7})
        self.expected[task_id] = Expectation(task_id, title, status, reason)
        return task_id

    def expect(self, task_id: str, status: str, reason: str | None = None) -> None:
        self.expected[task_id] = replace(self.expected[task_id], status=status, reason=reason)

    def wait(self, what: str) -> None:
        """Wait until the API of this tree shows each report as it is to be shown."""
        try:
            wait_until(self._is_met, seconds=_SEEN_SECONDS, what=what)
        except DeadlineError as error:
            found = list(find_faults(list(self.expected.values()), self.old, self.new))
            raise FaultsError(" ".join([str(error), *found[:_MOST_NAMED]])) from error

    def compare(self, moment: str) -> None:
        """Have both versions show every report; what is wrong becomes a complaint."""
        found = find_faults(list(self.expected.values()), self.old, self.new)
        self.deployment.complaints += [f"{moment}: {sentence}" for sentence in found]

    def _is_met(self) -> bool:
        return all(one.is_met_by(self.new.find(one.task_id)) for one in self.expected.values())


def _inject(deployment: Deployment, step: Step, *, is_previous_api: bool) -> None:  # noqa: ARG001
    current, previous = take_current(), take_previous(deployment.folder / "previous")
    types = write_type(deployment.folder)
    beside = _Beside(
        deployment, types, previous.start_api(deployment, types), current.start_api(deployment, types)
    )
    site = beside.old if is_previous_api else beside.new
    first, second = (current, previous) if is_previous_api else (previous, current)
    first.start_workers(deployment, types, _WORKERS)
    cancelled = _request_every_status(beside, site)
    beside.compare(f"With workers of version {first.version}")
    _replace_workers(beside, second)
    _run_again(beside, cancelled)
    beside.compare(f"With workers of version {second.version}")
    _count_completed(beside)


def _request_every_status(beside: _Beside, site: Site) -> list[str]:
    """Have one version request reports until some stand in each status; return the ids of the cancelled ones."""
    for number in range(3):
        beside.request(site, f"completes {number}", "completed")
    beside.request(site, FAILS, "failed", "error")
    stopped = beside.request(site, f"{HELD} and cancelled", "running")
    beside.wait("reports that completed, failed and run")
    beside.other(site).cancel(stopped)
    beside.expect(stopped, "failed", "cancelled")
    for number in range(_WORKERS):
        beside.request(site, f"{HELD} {number}", "running")
    beside.wait("reports that run on each worker")
    cancelled = beside.request(site, "cancelled while it waits", "pending")
    beside.request(site, "waits", "pending")
    beside.other(site).cancel(cancelled)
    beside.expect(cancelled, "failed", "cancelled")
    beside.wait("reports in every status")
    return [cancelled, stopped]


def _replace_workers(beside: _Beside, product: Product) -> None:
    """Replace the workers while reports run and wait, and let all of them be made."""
    product.start_workers(beside.deployment, beside.types, _WORKERS)
    open_gate(beside.deployment.folder)
    for one in list(beside.expected.values()):
        if one.status in ("pending", "running"):
            beside.expect(one.task_id, "completed")
    beside.wait("the end of every report")


def _run_again(beside: _Beside, cancelled: list[str]) -> None:
    """Have each version run a cancelled report again."""
    for site, task_id in zip((beside.old, beside.new), cancelled, strict=True):
        site.retry(task_id)
        beside.expect(task_id, "completed")
    beside.wait("the end of reports that run again")


def _count_completed(beside: _Beside) -> None:
    """Count these reports among the accepted ones, of which none may be lost."""
    deployment = beside.deployment
    deployment.load.accepted.update(
        {one.title: one.task_id for one in beside.expected.values() if one.status == "completed"}
    )
    deployment.note_mend()


FAULTS = (
    Fault(
        "previous-api",
        "API of the previous version, workers of this one; then workers of the previous one",
        (Step.QUEUED,),
        partial(_inject, is_previous_api=True),
        _BESIDE,
    ),
    Fault(
        "previous-workers",
        "API of this version, workers of the previous one; then workers of this one",
        (Step.QUEUED,),
        partial(_inject, is_previous_api=False),
        _BESIDE,
    ),
)
