"""Whatever is done to reports, in whatever order and by whomever, what must hold holds after each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from harness.broker import Broker
from reports_worker import NoSuchReportError, Reason, ReportQueue, Status, Submission, WrongStateError
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Failed
from reports_worker.queue.leases import MOST_EXECUTIONS, Execution, Leases
from tests.extent import count_examples

DAY = timedelta(days=1)


@dataclass
class Expected:
    """What the model knows of one report."""

    status: Status = Status.PENDING
    is_cancelled: bool = False
    executions: int = 0
    holder: str | None = None


class Changes(RuleBasedStateMachine):
    """Requests from outside against workers that start, end, hand back and die."""

    connection: Redis

    asked = Bundle("asked")
    taken = Bundle("taken")
    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.reports: dict[str, Expected] = {}
        self.deleted: set[str] = set()
        self.count = 0

    @initialize()
    def begin(self) -> None:
        self.connection.flushall()
        self.queue = ReportQueue(self.connection, timeout=DAY)
        self.leases = Leases(self.connection, retention=DAY)

    # -- from outside

    @rule(target=asked)
    def submit(self) -> str:
        task_id = self.queue.submit(Submission("Title", "sales"))
        self.reports[task_id] = Expected()
        return task_id

    @rule(task_id=asked)
    def cancel(self, task_id: str) -> None:
        expected = self.reports.get(task_id)
        if expected is None:
            with pytest.raises(NoSuchReportError):
                self.queue.cancel(task_id)
        elif expected.status.is_terminal:
            with pytest.raises(WrongStateError):
                self.queue.cancel(task_id)
        else:
            status = self.queue.cancel(task_id)
            expected.is_cancelled = True
            if expected.status is Status.PENDING:
                expected.status = Status.FAILED
            assert status is expected.status

    @rule(task_id=asked)
    def retry(self, task_id: str) -> None:
        expected = self.reports.get(task_id)
        if expected is None:
            with pytest.raises(NoSuchReportError):
                self.queue.retry(task_id)
        elif expected.status is not Status.FAILED:
            with pytest.raises(WrongStateError):
                self.queue.retry(task_id)
        else:
            self.queue.retry(task_id)
            self.reports[task_id] = Expected()

    @rule(task_id=asked)
    def delete(self, task_id: str) -> None:
        if task_id not in self.reports:
            with pytest.raises(NoSuchReportError):
                self.queue.delete(task_id)
            return
        self.queue.delete(task_id)
        del self.reports[task_id]
        self.deleted.add(task_id)

    # -- by workers

    @rule(target=taken)
    def take(self) -> Any:
        """What RQ does: one command moves an id from the queue to those being taken."""
        member = cast(bytes | None, self.connection.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT"))
        return member.decode() if member else multiple()

    @rule(target=running, task_id=consumes(taken))
    def start(self, task_id: str) -> Any:
        self.count += 1
        execution = Execution(task_id, f"execution-{self.count}")
        has_started = self.leases.start(execution, worker="worker", expires=DAY)
        expected = self.reports.get(task_id)
        assert has_started == (expected is not None and expected.status is Status.PENDING)
        if not has_started or expected is None:
            return multiple()
        expected.status, expected.holder = Status.RUNNING, execution.id
        expected.executions += 1
        return execution

    @rule(execution=running)
    def progress(self, execution: Execution) -> None:
        assert self.leases.progress(execution, 50, "half") == self.is_held(execution)

    @rule(execution=consumes(running))
    def complete(self, execution: Execution) -> None:
        is_held = self.is_held(execution)
        assert self.leases.publish(execution, Completed({"total": 1})) == is_held
        if is_held:
            expected = self.reports[execution.task_id]
            expected.status = Status.FAILED if expected.is_cancelled else Status.COMPLETED
            expected.holder = None

    @rule(execution=consumes(running))
    def fail(self, execution: Execution) -> None:
        is_held = self.is_held(execution)
        assert self.leases.publish(execution, Failed(Reason.ERROR, "It failed.")) == is_held
        if is_held:
            self.reports[execution.task_id].status = Status.FAILED
            self.reports[execution.task_id].holder = None

    @rule(execution=consumes(running))
    def hand_back(self, execution: Execution) -> None:
        is_held = self.is_held(execution)
        self.leases.requeue(execution, spent=False)
        if is_held:
            expected = self.reports[execution.task_id]
            expected.executions -= 1
            self.expect_put_back(expected)

    @rule(execution=running)
    def die(self, execution: Execution) -> None:
        """The lease runs out, and nobody tells the execution: it may still try to publish."""
        if self.connection.get(keys.lease(execution.task_id)) == execution.id.encode():
            self.connection.delete(keys.lease(execution.task_id))

    @rule()
    def sweep(self) -> None:
        without_lease = [
            (task_id, expected)
            for task_id, expected in self.reports.items()
            if expected.status is Status.RUNNING and not self.connection.exists(keys.lease(task_id))
        ]
        list(self.leases.sweep())
        for _, expected in without_lease:
            self.expect_put_back(expected)

    # -- what must hold

    @invariant()
    def each_report_is_as_expected(self) -> None:
        if not hasattr(self, "queue"):
            return
        found = {report.task_id: report for report in self.queue.list(limit=500).reports}
        assert found.keys() == self.reports.keys()
        for task_id, expected in self.reports.items():
            assert found[task_id].status is expected.status
            assert not (expected.is_cancelled and found[task_id].status is Status.COMPLETED)
            assert expected.executions <= MOST_EXECUTIONS

    @invariant()
    def nothing_of_a_deleted_report_is_left(self) -> None:
        for task_id in self.deleted:
            assert not self.connection.exists(keys.job(task_id))
            assert self.connection.zscore(keys.REGISTRY, task_id) is None
            assert self.connection.zscore(keys.EXPIRY, task_id) is None

    @invariant()
    def whatever_waits_is_in_the_queue_once(self) -> None:
        queued = self.read_list(keys.QUEUED)
        being_taken = set(self.read_list(keys.INTERMEDIATE))
        waiting = {task_id for task_id, one in self.reports.items() if one.status is Status.PENDING}
        assert len(queued) == len(set(queued))
        assert set(queued) <= waiting
        assert waiting <= set(queued) | being_taken

    def read_list(self, key: str) -> list[str]:
        return [member.decode() for member in cast(list[bytes], self.connection.lrange(key, 0, -1))]

    def is_held(self, execution: Execution) -> bool:
        """Whether this execution may publish: it holds the lease of a report that is still there."""
        expected = self.reports.get(execution.task_id)
        holder = self.connection.get(keys.lease(execution.task_id))
        return expected is not None and holder == execution.id.encode() and expected.holder == execution.id

    def expect_put_back(self, expected: Expected) -> None:
        expected.holder = None
        is_spent = expected.executions >= MOST_EXECUTIONS
        expected.status = Status.FAILED if expected.is_cancelled or is_spent else Status.PENDING


@pytest.fixture
def connection(broker: Broker) -> Iterator[Redis]:
    with broker.client() as client:
        yield client


def test_what_must_hold_holds_after_each_step(connection: Redis) -> None:
    run_state_machine_as_test(
        type("ChangesOfOneBroker", (Changes,), {"connection": connection}),
        settings=settings(
            max_examples=count_examples(8, wide=600),
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
