"""The decisions of lease renewal at each tick; its thread runs in the tests with real workers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from fakeredis import FakeServer, FakeStrictRedis
from redis import Redis
from redis.exceptions import RedisError

from reports_worker import ReportQueue, Status, Submission
from reports_worker.broker import keys
from reports_worker.execution.shared_state import SharedState, seconds_now
from reports_worker.queue.lease_timing import LOST_AFTER_SECONDS, RENEW_EVERY_SECONDS
from reports_worker.queue.leases import LEASE, Execution, Leases
from reports_worker.worker.lease_renewal import (
    BEGIN_WITHIN_SECONDS,
    CANCEL_WITHIN_SECONDS,
    END_WITHIN_SECONDS,
    LeaseRenewal,
)


@dataclass
class Scene:
    """Lease renewal with the lease of a running report, and the kills of its job process."""

    server: FakeServer
    connection: Redis
    queue: ReportQueue
    lease_renewal: LeaseRenewal
    execution: Execution
    shared_state: SharedState
    begin: float = field(default_factory=seconds_now)
    kills: list[str] = field(default_factory=list)

    def tick(self, seconds_later: float) -> None:
        self.lease_renewal._check_execution(self.begin + seconds_later + 0.001)

    @property
    def status(self) -> Status:
        report = self.queue.find(self.execution.task_id)
        assert report is not None
        return report.status

    @property
    def lease_ms(self) -> int:
        return int(self.connection.pttl(keys.lease(self.execution.task_id)))


@pytest.fixture
def scene() -> Scene:
    server, kills = FakeServer(), list[str]()
    connection = FakeStrictRedis(server=server)
    queue = ReportQueue(connection, timeout=timedelta(hours=1))
    leases = Leases(connection, retention=timedelta(days=1))
    execution = Execution(queue.submit(Submission("Quarter", "sales")), "x")
    assert leases.start(execution, worker="w", expires=timedelta(hours=1))
    connection.delete(keys.QUEUED)
    shared_state = SharedState()
    lease_renewal = LeaseRenewal(leases, kill=lambda: kills.append("killed"), shared_state=shared_state)
    shared_state.note_begin()
    lease_renewal.acquire(execution)
    begin = shared_state.renewed_at
    return Scene(server, connection, queue, lease_renewal, execution, shared_state, begin, kills)


def test_an_acquired_lease_is_renewed_every_few_seconds(scene: Scene) -> None:
    scene.connection.pexpire(keys.lease(scene.execution.task_id), 5000)

    scene.tick(RENEW_EVERY_SECONDS - 0.5)
    assert scene.lease_ms <= 5000
    scene.tick(RENEW_EVERY_SECONDS)

    assert scene.lease_ms > 11_000
    assert scene.kills == []


def test_a_renewal_counts_from_the_time_of_its_request(scene: Scene) -> None:
    scene.tick(RENEW_EVERY_SECONDS)
    scene.connection.pexpire(keys.lease(scene.execution.task_id), 5000)

    scene.tick(RENEW_EVERY_SECONDS * 2 - 0.5)

    assert scene.lease_ms <= 5000


def test_an_execution_whose_lease_is_lost_is_killed_once(scene: Scene) -> None:
    scene.connection.set(keys.lease(scene.execution.task_id), "another")

    scene.tick(RENEW_EVERY_SECONDS)
    scene.tick(RENEW_EVERY_SECONDS * 2)

    assert scene.kills == ["killed"]
    assert scene.connection.get(keys.lease(scene.execution.task_id)) == b"another"
    assert scene.status is Status.RUNNING


def test_an_execution_that_has_published_is_killed_only_after_a_grace_period(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.connection.delete(keys.lease(scene.execution.task_id))
    scene.shared_state.note_end()

    scene.tick(RENEW_EVERY_SECONDS)
    assert (scene.kills, caplog.messages) == ([], [])
    scene.tick(RENEW_EVERY_SECONDS + END_WITHIN_SECONDS)

    assert scene.kills == ["killed"]


def test_a_short_outage_of_the_broker_kills_no_execution(scene: Scene) -> None:
    scene.server.connected = False
    with pytest.raises(RedisError):
        scene.tick(RENEW_EVERY_SECONDS)
    scene.server.connected = True

    scene.tick(RENEW_EVERY_SECONDS + 1)

    assert scene.kills == []
    assert scene.lease_ms > 11_000


def test_an_execution_is_killed_before_another_worker_can_acquire_its_lease(scene: Scene) -> None:
    scene.server.connected = False

    scene.tick(LOST_AFTER_SECONDS)

    assert scene.kills == ["killed"]
    assert LEASE.total_seconds() > LOST_AFTER_SECONDS


def test_the_shared_state_has_each_renewal_and_none_that_failed(scene: Scene) -> None:
    scene.tick(RENEW_EVERY_SECONDS)
    renewed = scene.shared_state.renewed_at
    scene.server.connected = False
    with pytest.raises(RedisError):
        scene.tick(2 * RENEW_EVERY_SECONDS + 0.1)

    assert renewed == pytest.approx(scene.begin + RENEW_EVERY_SECONDS, abs=0.01)
    assert scene.shared_state.renewed_at == renewed


def test_a_report_aborted_by_an_outage_is_requeued_uncounted_once_the_broker_answers(scene: Scene) -> None:
    scene.server.connected = False
    scene.tick(LOST_AFTER_SECONDS)
    assert scene.lease_renewal.has_aborted(scene.execution)
    with pytest.raises(RedisError):
        scene.lease_renewal._requeue_aborted()
    scene.server.connected = True
    scene.connection.zadd(keys.STARTED, {f"{scene.execution.task_id}:{scene.execution.id}": 1})
    scene.connection.delete(keys.lease(scene.execution.task_id))  # it has expired

    scene.lease_renewal._requeue_aborted()

    assert scene.status is Status.PENDING
    assert scene.connection.lrange(keys.QUEUED, 0, -1) == [scene.execution.task_id.encode()]
    assert scene.connection.hget(keys.job(scene.execution.task_id), "executions") == b"0"
    assert not scene.lease_renewal.has_aborted(scene.execution)


def test_a_report_aborted_by_an_outage_that_another_worker_runs_by_now_is_not_requeued(scene: Scene) -> None:
    scene.server.connected = False
    scene.tick(LOST_AFTER_SECONDS)
    scene.server.connected = True
    scene.connection.set(keys.lease(scene.execution.task_id), "another")

    scene.lease_renewal._requeue_aborted()

    assert scene.status is Status.RUNNING
    assert scene.connection.llen(keys.QUEUED) == 0
    assert not scene.lease_renewal.has_aborted(scene.execution)


def test_a_process_that_hangs_since_its_fork_is_killed(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.shared_state.begin()

    def tick_and_renew(seconds: float) -> None:
        scene.shared_state.renewed_at = scene.begin + seconds
        scene.tick(seconds)

    tick_and_renew(BEGIN_WITHIN_SECONDS - 1)
    assert scene.kills == []
    tick_and_renew(BEGIN_WITHIN_SECONDS + 1)

    assert scene.kills == ["killed"]
    assert "its process hangs since its fork" in caplog.text


def test_no_lease_is_renewed_once_the_execution_has_ended(scene: Scene) -> None:
    scene.lease_renewal.release()
    scene.connection.delete(keys.lease(scene.execution.task_id))

    scene.tick(LOST_AFTER_SECONDS)

    assert scene.kills == []


def test_a_cancelled_execution_is_notified_and_killed_after_its_grace_period(scene: Scene) -> None:
    scene.queue.cancel(scene.execution.task_id)

    scene.tick(RENEW_EVERY_SECONDS)

    assert scene.status is Status.FAILED
    assert scene.shared_state.is_cancelled
    assert scene.kills == []
    scene.tick(RENEW_EVERY_SECONDS + CANCEL_WITHIN_SECONDS + 0.1)
    assert scene.kills == ["killed"]


def test_a_cancelled_execution_that_has_ended_by_itself_is_not_killed(scene: Scene) -> None:
    scene.queue.cancel(scene.execution.task_id)
    scene.tick(RENEW_EVERY_SECONDS)

    scene.lease_renewal.release()
    scene.tick(RENEW_EVERY_SECONDS + CANCEL_WITHIN_SECONDS + 0.1)

    assert scene.kills == []


def test_a_stopping_worker_lets_the_execution_run_for_its_grace_period(scene: Scene) -> None:
    scene.lease_renewal.requeue_after(timedelta(seconds=30))

    scene.tick(2)

    assert scene.kills == []
    assert scene.status is Status.RUNNING


def test_after_its_grace_period_the_report_is_requeued_uncounted_and_its_execution_killed(
    scene: Scene,
) -> None:
    scene.lease_renewal.requeue_after(timedelta(seconds=30))

    scene.tick(31)

    assert scene.kills == ["killed"]
    assert scene.status is Status.PENDING
    assert scene.connection.lrange(keys.QUEUED, 0, -1) == [scene.execution.task_id.encode()]
    assert scene.connection.hget(keys.job(scene.execution.task_id), "executions") == b"0"


def test_the_execution_is_killed_even_if_the_report_cannot_be_requeued(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.lease_renewal.requeue_after(timedelta())
    scene.server.connected = False

    with caplog.at_level(logging.WARNING), pytest.raises(RedisError):
        scene.tick(0.1)

    assert scene.kills == ["killed"]
    assert "the grace period is over" in caplog.text
