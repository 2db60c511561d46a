"""Leases: at most one execution ends a report, and none that was accepted is lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from redis import Redis
from rq.executions import Execution as RQExecution
from rq.job import Job
from rq.serializers import JSONSerializer

from reports_worker import Progress, Report, ReportQueue, Status, Submission
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Failed, Outcome, Reason, Receipt
from reports_worker.queue.leases import (
    ABANDONED,
    LEASE,
    MOST_EXECUTIONS,
    SUSPICION,
    UNATTENDED,
    Execution,
    Leases,
)

RUN = timedelta(hours=1)
DONE = Completed({"total": 7})
WORKER = "worker-1"


@pytest.fixture
def running(connection: Redis, leases: Leases, task_id: str) -> Execution:
    """An execution that was begun as a worker begins it, RQ's records and all."""
    return begin(connection, leases, task_id)


def begin(connection: Redis, leases: Leases, task_id: str) -> Execution:
    connection.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT")
    job = Job.fetch(task_id, connection=connection, serializer=JSONSerializer)
    with connection.pipeline() as pipeline:
        recorded = RQExecution.create(job, 3600, pipeline=pipeline, worker_name=WORKER)
        pipeline.execute()
    execution = Execution(task_id, recorded.id)
    assert leases.start(execution, worker=WORKER, expires=RUN)
    return execution


def find(queue: ReportQueue, execution: Execution) -> Report:
    report = queue.find(execution.task_id)
    assert report is not None
    return report


def read_executions(connection: Redis, task_id: str) -> int:
    return int(connection.hget(keys.job(task_id), "executions") or 0)


def lose_lease(connection: Redis, execution: Execution) -> None:
    """What time does to the lease of a worker that died."""
    assert connection.delete(keys.lease(execution.task_id)) == 1


def find_keys(connection: Any, task_id: str) -> set[str]:
    """Every key that names the report or holds it as a member; but that its files are to be looked at."""
    readers: dict[bytes, Callable[[bytes], Iterable[bytes]]] = {
        b"list": lambda key: connection.lrange(key, 0, -1),
        b"set": connection.smembers,
        b"zset": lambda key: connection.zrange(key, 0, -1),
        b"hash": lambda _: (),
        b"string": lambda _: (),
    }
    return {
        key.decode()
        for key in connection.scan_iter()
        if key != keys.FILES.encode()
        and any(task_id.encode() in name for name in (key, *readers[connection.type(key)](key)))
    }


# -- start


def test_a_started_report_runs_and_holds_a_lease_of_12_seconds(
    connection: Redis, queue: ReportQueue, running: Execution
) -> None:
    report = find(queue, running)

    assert report.status is Status.RUNNING
    assert report.started_at is not None
    assert report.created_at <= report.started_at
    assert connection.get(keys.lease(running.task_id)) == running.id.encode()
    assert 0 < connection.pttl(keys.lease(running.task_id)) <= LEASE / timedelta(milliseconds=1)
    assert connection.lrange(keys.INTERMEDIATE, 0, -1) == []
    assert connection.zrange(keys.STARTED, 0, -1) == [f"{running.task_id}:{running.id}".encode()]
    assert connection.hget(keys.job(running.task_id), "worker_name") == WORKER.encode()
    assert read_executions(connection, running.task_id) == 1


def test_a_second_start_of_a_running_report_is_refused(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    connection.rpush(keys.INTERMEDIATE, running.task_id)

    assert not leases.start(Execution(running.task_id, "other"), worker="worker-2", expires=RUN)

    assert connection.get(keys.lease(running.task_id)) == running.id.encode()
    assert connection.lrange(keys.INTERMEDIATE, 0, -1) == []
    assert read_executions(connection, running.task_id) == 1
    assert find(queue, running).status is Status.RUNNING


def test_a_report_that_someone_still_holds_is_not_started(
    connection: Redis, leases: Leases, task_id: str
) -> None:
    connection.set(keys.lease(task_id), "someone")

    assert not leases.start(Execution(task_id, "other"), worker=WORKER, expires=RUN)
    assert connection.hget(keys.job(task_id), "status") == b"queued"


@pytest.mark.parametrize("status", ["finished", "failed", "canceled", "stopped", "started", ""])
def test_only_a_waiting_report_is_started(
    connection: Redis, leases: Leases, task_id: str, status: str
) -> None:
    connection.hset(keys.job(task_id), "status", status)

    assert not leases.start(Execution(task_id, "x"), worker=WORKER, expires=RUN)
    assert connection.hget(keys.job(task_id), "status") == status.encode()
    assert not connection.exists(keys.lease(task_id))


def test_a_report_that_is_gone_is_not_started(connection: Redis, leases: Leases, task_id: str) -> None:
    connection.delete(keys.job(task_id))

    assert not leases.start(Execution(task_id, "x"), worker=WORKER, expires=RUN)
    assert not connection.exists(keys.job(task_id), keys.lease(task_id))


# -- with and without the lease


def test_renewing_gives_the_lease_its_full_time_again(
    connection: Redis, leases: Leases, running: Execution
) -> None:
    connection.pexpire(keys.lease(running.task_id), 1000)

    assert leases.renew(running)
    assert connection.pttl(keys.lease(running.task_id)) > 11_000


def test_progress_is_written_while_the_lease_is_held(
    queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    assert leases.progress(running, 40, "adding up")
    assert find(queue, running).progress == Progress(40, "adding up")


def take_away(connection: Redis, running: Execution) -> None:
    connection.delete(keys.lease(running.task_id))


def pass_on(connection: Redis, running: Execution) -> None:
    connection.set(keys.lease(running.task_id), "other", px=12_000)


@pytest.mark.parametrize("lose", [take_away, pass_on])
def test_without_its_lease_an_execution_changes_nothing(
    connection: Redis,
    leases: Leases,
    running: Execution,
    lose: Callable[[Redis, Execution], None],
) -> None:
    lose(connection, running)
    job, lease = keys.job(running.task_id), keys.lease(running.task_id)
    before = connection.hgetall(job), connection.get(lease), connection.lrange(keys.QUEUED, 0, -1)

    assert not leases.renew(running)
    assert not leases.progress(running, 99, "too late")
    assert not leases.publish(running, DONE)

    assert (connection.hgetall(job), connection.get(lease), connection.lrange(keys.QUEUED, 0, -1)) == before
    assert not connection.exists(keys.FINISHED, keys.FAILED, keys.EXPIRY)


def test_a_start_that_is_sent_twice_is_one(connection: Redis, leases: Leases, running: Execution) -> None:
    assert leases.start(running, worker=WORKER, expires=RUN)

    assert read_executions(connection, running.task_id) == 1
    assert connection.zrange(keys.STARTED, 0, -1) == [f"{running.task_id}:{running.id}".encode()]


# -- the end


def test_a_published_report_is_completed_with_its_figures(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    assert leases.publish(running, DONE)

    report = find(queue, running)
    assert report.status is Status.COMPLETED
    assert report.result == {"title": "Quarter", "type": "sales", "total": 7}
    assert report.progress == Progress(100, "")
    assert report.ended_at is not None
    assert report.started_at is not None
    assert report.started_at <= report.ended_at
    assert (report.error, report.reason) == (None, None)
    assert connection.zrange(keys.FINISHED, 0, -1) == [running.task_id.encode()]


def test_a_failed_report_says_why(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    assert leases.publish(running, Failed(Reason.TIMEOUT, "It took too long."))

    report = find(queue, running)
    assert report.status is Status.FAILED
    assert (report.reason, report.error) == ("timeout", "It took too long.")
    assert report.result is None
    assert connection.zrange(keys.FAILED, 0, -1) == [running.task_id.encode()]


def test_an_end_that_is_sent_twice_is_one(queue: ReportQueue, leases: Leases, running: Execution) -> None:
    leases.publish(running, DONE)
    before = find(queue, running)

    assert leases.publish(running, DONE)
    assert find(queue, running) == before


@pytest.mark.parametrize(
    ("execution", "again"), [("x", DONE), ("other", DONE), (None, Failed(Reason.ERROR, "It broke."))]
)
def test_a_report_ends_once(
    queue: ReportQueue, leases: Leases, running: Execution, execution: str | None, again: Outcome
) -> None:
    leases.publish(running, DONE)
    before = find(queue, running)

    assert not leases.publish(replace(running, id=execution) if execution else running, again)
    assert leases.requeue(running, spent=True) == ""
    assert list(leases.sweep()) == []
    assert find(queue, running) == before


@pytest.mark.parametrize("outcome", [DONE, Failed(Reason.ERROR, "It broke.")])
def test_an_ended_report_leaves_no_trace_of_its_execution(
    connection: Redis, leases: Leases, running: Execution, outcome: Outcome
) -> None:
    leases.publish(running, outcome)

    ended = keys.FINISHED if outcome is DONE else keys.FAILED
    expected = {keys.job(running.task_id), keys.REGISTRY, keys.EXPIRY, ended}
    assert find_keys(connection, running.task_id) == expected


def test_an_ended_report_is_kept_as_long_as_it_is_to_be_kept(
    connection: Redis, leases: Leases, running: Execution
) -> None:
    now = connection.time()[0]
    leases.publish(running, DONE)

    month = 30 * 86400
    expires = connection.zscore(keys.EXPIRY, running.task_id)
    assert expires is not None
    assert now + month <= expires <= now + month + 60
    assert connection.zscore(keys.FINISHED, running.task_id) == expires
    assert month < connection.ttl(keys.job(running.task_id)) <= month + 86400


RECEIPT = Receipt("csv", "text/csv", 0.1, name="sales.csv", size=1, sha256="0" * 64)


@pytest.mark.parametrize(
    "end",
    [
        Completed({"total": 7}, artifacts=[replace(RECEIPT, rows_expected=cast(int, 12.0))]),
        Completed({"total": 7}, artifacts=[replace(RECEIPT, rows_written=2**64)]),
        Completed({"total": 7}, as_of=datetime(1960, 1, 1, tzinfo=UTC)),
        Completed({"name": "\ud800"}),
    ],
)
def test_an_end_that_could_not_be_read_again_is_refused_before_anything_is_written(
    queue: ReportQueue, leases: Leases, running: Execution, end: Completed
) -> None:
    with pytest.raises(ValueError, match=r"."):
        leases.publish(running, end)

    assert find(queue, running).status is Status.RUNNING


@pytest.mark.parametrize("figures", [{"average": math.nan}, {"total": math.inf}, {"when": RUN}])
def test_figures_that_json_cannot_hold_are_refused_before_anything_is_written(
    queue: ReportQueue, leases: Leases, running: Execution, figures: dict[str, object]
) -> None:
    with pytest.raises((TypeError, ValueError)):
        leases.publish(running, Completed(figures))

    assert find(queue, running).status is Status.RUNNING
    assert leases.renew(running)


# -- putting back


def test_a_report_put_back_waits_again_before_later_ones(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    later = queue.submit(Submission("Later", "users"))
    leases.progress(running, 40, "adding up")

    assert leases.requeue(running, spent=True) == "queued"

    report = find(queue, running)
    assert report.status is Status.PENDING
    assert report.progress == Progress(0, "")
    assert report.started_at is None
    assert connection.lrange(keys.QUEUED, 0, -1) == [running.task_id.encode(), later.encode()]
    assert read_executions(connection, running.task_id) == 1
    traces = {keys.job(running.task_id), keys.REGISTRY, keys.QUEUED}
    assert find_keys(connection, running.task_id) == traces


def test_a_report_whose_worker_died_four_times_is_abandoned(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    outcomes = [
        leases.requeue(begin(connection, leases, task_id), spent=True) for _ in range(MOST_EXECUTIONS)
    ]

    assert outcomes == ["queued", "queued", "queued", "abandoned"]
    report = queue.find(task_id)
    assert report is not None
    assert report.status is Status.FAILED
    assert report.reason == "abandoned"
    assert report.error == ABANDONED
    assert report.ended_at is not None
    traces = {keys.job(task_id), keys.REGISTRY, keys.EXPIRY, keys.FAILED}
    assert find_keys(connection, task_id) == traces
    assert connection.ttl(keys.job(task_id)) > 0


def test_a_report_is_abandoned_for_the_reason_that_its_last_worker_gives(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    for number in range(MOST_EXECUTIONS):
        leases.requeue(begin(connection, leases, task_id), spent=True, why=f"Reason {number}.")

    report = queue.find(task_id)
    assert report is not None
    assert (report.reason, report.error) == ("abandoned", f"Reason {MOST_EXECUTIONS - 1}.")


def test_a_report_handed_back_unspent_has_all_its_executions_left(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    for _ in range(3 * MOST_EXECUTIONS):
        assert leases.requeue(begin(connection, leases, task_id), spent=False) == "queued"

    assert read_executions(connection, task_id) == 0
    report = queue.find(task_id)
    assert report is not None
    assert report.status is Status.PENDING


def test_what_its_own_worker_puts_back_after_the_lease_ran_out_is_queued_at_once(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    lose_lease(connection, running)

    assert leases.requeue(running, spent=False) == "queued"

    assert find(queue, running).status is Status.PENDING
    assert read_executions(connection, running.task_id) == 0
    assert connection.lrange(keys.QUEUED, 0, -1) == [running.task_id.encode()]
    assert leases.requeue(running, spent=False) == ""
    assert list(leases.sweep()) == []


@pytest.mark.parametrize("began_again", [False, True])
def test_what_another_has_noticed_before_is_not_put_back_again(
    connection: Redis, leases: Leases, running: Execution, began_again: bool
) -> None:
    lose_lease(connection, running)
    list(leases.sweep())
    if began_again:
        begin(connection, leases, running.task_id)
    queued = connection.lrange(keys.QUEUED, 0, -1)

    assert leases.requeue(running, spent=True) == ""
    assert connection.lrange(keys.QUEUED, 0, -1) == queued


# -- the sweep


def make_sweep_old(connection: Redis, seconds: float) -> None:
    """Have the last sweep, and all that it knows of times, lie in the past."""
    for field, value in connection.hgetall(keys.SWEEP).items():
        connection.hset(keys.SWEEP, field, float(value) - seconds)


def test_nobody_reaps_for_the_time_of_a_lease_after_a_pause_in_which_nobody_could_renew(
    connection: Redis, leases: Leases, running: Execution
) -> None:
    list(leases.sweep())
    make_sweep_old(connection, UNATTENDED.total_seconds() + 1)
    lose_lease(connection, running)

    assert list(leases.sweep()) == []
    make_sweep_old(connection, 1)
    assert list(leases.sweep()) == []
    make_sweep_old(connection, 5)
    assert list(leases.sweep()) == []
    make_sweep_old(connection, 6)
    assert list(leases.sweep()) == [(running.task_id, "queued")]


def test_a_short_pause_delays_nothing(connection: Redis, leases: Leases, running: Execution) -> None:
    list(leases.sweep())
    make_sweep_old(connection, UNATTENDED.total_seconds() - 1)
    lose_lease(connection, running)

    assert list(leases.sweep()) == [(running.task_id, "queued")]


def test_a_clock_that_is_set_back_does_not_keep_anybody_from_sweeping(
    connection: Redis, leases: Leases, running: Execution
) -> None:
    list(leases.sweep())
    make_sweep_old(connection, -3600)
    lose_lease(connection, running)

    assert list(leases.sweep()) == []
    make_sweep_old(connection, 6)
    assert list(leases.sweep()) == []
    make_sweep_old(connection, 7)
    assert list(leases.sweep()) == [(running.task_id, "queued")]


def test_what_another_has_just_swept_is_left(connection: Redis, leases: Leases, running: Execution) -> None:
    list(leases.sweep())
    lose_lease(connection, running)

    assert list(leases.sweep(unless_within=timedelta(seconds=0.5))) == []
    make_sweep_old(connection, 0.5)
    assert list(leases.sweep(unless_within=timedelta(seconds=0.5))) == [(running.task_id, "queued")]


def test_a_sweep_leaves_alone_what_is_held(queue: ReportQueue, leases: Leases, running: Execution) -> None:
    assert list(leases.sweep()) == []
    assert find(queue, running).status is Status.RUNNING
    assert leases.publish(running, DONE)


def test_a_sweep_puts_back_what_nobody_holds_any_more(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    lose_lease(connection, running)

    assert list(leases.sweep()) == [(running.task_id, "queued")]

    assert find(queue, running).status is Status.PENDING
    assert connection.lrange(keys.QUEUED, 0, -1) == [running.task_id.encode()]
    traces = {keys.job(running.task_id), keys.REGISTRY, keys.QUEUED}
    assert find_keys(connection, running.task_id) == traces
    assert list(leases.sweep()) == []
    assert connection.llen(keys.QUEUED) == 1


def test_a_sweep_abandons_what_was_lost_four_times(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    outcomes = []
    for _ in range(MOST_EXECUTIONS):
        lose_lease(connection, begin(connection, leases, task_id))
        outcomes += list(leases.sweep())

    assert outcomes == [*[(task_id, "queued")] * 3, (task_id, "abandoned")]
    report = queue.find(task_id)
    assert report is not None
    assert report.reason == "abandoned"
    assert report.error is not None
    assert "the last time its worker died, or lost the broker" in report.error


def test_a_sweep_forgets_an_old_execution_of_what_another_makes_now(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    connection.zadd(keys.STARTED, {f"{running.task_id}:old": 0})

    assert list(leases.sweep()) == []

    assert connection.zrange(keys.STARTED, 0, -1) == [f"{running.task_id}:{running.id}".encode()]
    assert find(queue, running).status is Status.RUNNING


def test_a_sweep_takes_away_what_is_no_execution(
    connection: Redis, leases: Leases, running: Execution
) -> None:
    connection.zadd(keys.STARTED, {"nonsense": 0})

    assert list(leases.sweep()) == []

    assert connection.zrange(keys.STARTED, 0, -1) == [f"{running.task_id}:{running.id}".encode()]


def take_without_starting(connection: Redis) -> None:
    """What a worker leaves that dies right after it took a report off the queue."""
    connection.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT")


def make_suspicion_old(connection: Redis, task_id: str) -> None:
    assert connection.zincrby(keys.SUSPECTS, -SUSPICION.total_seconds(), task_id)


def test_what_was_taken_just_now_is_suspected_and_left_alone(
    connection: Redis, leases: Leases, task_id: str
) -> None:
    take_without_starting(connection)

    assert list(leases.sweep()) == []
    assert list(leases.sweep()) == []

    assert connection.zrange(keys.SUSPECTS, 0, -1) == [task_id.encode()]
    assert connection.lrange(keys.INTERMEDIATE, 0, -1) == [task_id.encode()]
    assert connection.llen(keys.QUEUED) == 0


def test_what_was_taken_and_never_started_is_queued_again(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    take_without_starting(connection)
    list(leases.sweep())
    make_suspicion_old(connection, task_id)

    assert list(leases.sweep()) == [(task_id, "queued")]

    assert connection.lrange(keys.QUEUED, 0, -1) == [task_id.encode()]
    assert connection.llen(keys.INTERMEDIATE) == 0
    assert connection.zcard(keys.SUSPECTS) == 0
    assert read_executions(connection, task_id) == 0
    report = queue.find(task_id)
    assert report is not None
    assert report.status is Status.PENDING


def miss_a_start(connection: Redis, leases: Leases, task_id: str) -> list[tuple[str, str]]:
    """What becomes of a report that a worker takes and never starts."""
    connection.lrem(keys.QUEUED, 0, task_id)
    connection.rpush(keys.INTERMEDIATE, task_id)
    assert list(leases.sweep()) == []
    make_suspicion_old(connection, task_id)
    return list(leases.sweep())


def test_what_is_taken_four_times_in_a_row_and_never_started_is_rejected(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    outcomes = [outcome for _ in range(4) for _, outcome in miss_a_start(connection, leases, task_id)]

    assert outcomes == ["queued", "queued", "queued", "rejected"]
    report = queue.find(task_id)
    assert report is not None
    assert (report.status, report.reason) == (Status.FAILED, "rejected")
    assert report.error is not None
    assert "took this report from the queue 4 times in a row and never started it" in report.error
    assert connection.llen(keys.QUEUED) + connection.llen(keys.INTERMEDIATE) == 0
    assert read_executions(connection, task_id) == 0


def test_what_is_never_started_goes_in_front_once_and_then_behind_all_others(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    other = queue.submit(Submission("Other", "sales"))
    orders = []
    for _ in range(2):
        miss_a_start(connection, leases, task_id)
        orders.append(connection.lrange(keys.QUEUED, 0, -1))

    entries = [task_id.encode(), other.encode()]
    assert orders == [entries, entries[::-1]]


def test_a_start_and_a_retry_forget_the_starts_that_were_missed(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    for _ in range(3):
        miss_a_start(connection, leases, task_id)
    connection.lrem(keys.QUEUED, 0, task_id)
    execution = Execution(task_id, "x")
    assert leases.start(execution, worker=WORKER, expires=RUN)
    leases.requeue(execution, spent=False)
    assert [miss_a_start(connection, leases, task_id) for _ in range(3)] == [[(task_id, "queued")]] * 3
    assert miss_a_start(connection, leases, task_id) == [(task_id, "rejected")]

    queue.retry(task_id)

    assert [miss_a_start(connection, leases, task_id) for _ in range(3)] == [[(task_id, "queued")]] * 3


def test_a_hand_back_counts_as_no_missed_start(connection: Redis, leases: Leases, task_id: str) -> None:
    for number in range(6):
        execution = Execution(task_id, str(number))
        assert leases.start(execution, worker=WORKER, expires=RUN)
        assert leases.requeue(execution, spent=False) == "queued"

    assert not connection.hexists(keys.job(task_id), "missed_starts")


def test_what_was_never_started_is_queued_once_even_if_it_stands_there_already(
    connection: Redis, leases: Leases, task_id: str
) -> None:
    connection.rpush(keys.INTERMEDIATE, task_id)
    list(leases.sweep())
    make_suspicion_old(connection, task_id)

    list(leases.sweep())

    assert connection.lrange(keys.QUEUED, 0, -1) == [task_id.encode()]


def test_a_suspect_that_starts_after_all_is_queued_no_second_time(
    connection: Redis, leases: Leases, task_id: str
) -> None:
    take_without_starting(connection)
    list(leases.sweep())
    execution = Execution(task_id, "slow")
    assert leases.start(execution, worker=WORKER, expires=RUN)

    assert list(leases.sweep()) == []

    assert connection.zcard(keys.SUSPECTS) == 0
    assert connection.llen(keys.QUEUED) == 0
    assert leases.publish(execution, DONE)


def test_a_suspect_that_starts_too_late_is_made_once(connection: Redis, leases: Leases, task_id: str) -> None:
    take_without_starting(connection)
    list(leases.sweep())
    make_suspicion_old(connection, task_id)
    list(leases.sweep())

    assert leases.start(Execution(task_id, "slow"), worker=WORKER, expires=RUN)
    connection.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT")
    assert not leases.start(Execution(task_id, "second"), worker="worker-2", expires=RUN)

    assert read_executions(connection, task_id) == 1


def test_what_ended_or_is_gone_is_taken_off_the_intermediate_queue(
    connection: Redis, leases: Leases, running: Execution
) -> None:
    leases.publish(running, DONE)
    connection.rpush(keys.INTERMEDIATE, running.task_id, "gone")

    assert list(leases.sweep()) == []
    assert connection.llen(keys.INTERMEDIATE) == 0


@pytest.mark.parametrize("outcome", [DONE, Failed(Reason.ERROR, "It broke.")])
def test_a_report_whose_time_is_over_is_removed_everywhere(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution, outcome: Outcome
) -> None:
    leases.publish(running, outcome)
    kept = queue.submit(Submission("Kept", "users"))
    connection.zadd(keys.EXPIRY, {running.task_id: connection.time()[0]})

    assert list(leases.sweep()) == [(running.task_id, "expired")]

    assert find_keys(connection, running.task_id) == set()
    assert queue.find(running.task_id) is None
    assert [report.task_id for report in queue.list().reports] == [kept]


def test_a_report_is_kept_until_its_time_is_over(
    connection: Redis, queue: ReportQueue, leases: Leases, running: Execution
) -> None:
    leases.publish(running, DONE)
    connection.zadd(keys.EXPIRY, {running.task_id: connection.time()[0] + 60})

    assert list(leases.sweep()) == []
    assert find(queue, running).status is Status.COMPLETED


def test_many_expired_reports_go_a_hundred_at_a_time(
    connection: Redis, queue: ReportQueue, leases: Leases
) -> None:
    ids = [queue.submit(Submission("Old", "sales")) for _ in range(150)]
    connection.delete(keys.QUEUED)
    for task_id in ids:
        connection.hset(keys.job(task_id), "status", "finished")
    connection.zadd(keys.EXPIRY, dict.fromkeys(ids, 1))

    counts = [len(list(leases.sweep())) for _ in range(3)]

    assert counts == [100, 50, 0]
    assert queue.list().total == 0


# -- what was deleted stays deleted


@pytest.mark.parametrize(
    "late",
    [
        lambda leases, execution: leases.progress(execution, 50, "adding up"),
        lambda leases, execution: leases.publish(execution, DONE),
        lambda leases, execution: leases.publish(execution, Failed(Reason.ERROR, "It broke.")),
        lambda leases, execution: leases.requeue(execution, spent=True) != "",
    ],
    ids=["progress", "completed", "failed", "put back"],
)
def test_a_deleted_report_is_not_brought_back(
    connection: Redis,
    leases: Leases,
    running: Execution,
    late: Callable[[Leases, Execution], bool],
) -> None:
    connection.delete(keys.job(running.task_id))
    connection.zrem(keys.REGISTRY, running.task_id)

    assert not late(leases, running)

    assert not connection.exists(keys.job(running.task_id))
    assert connection.llen(keys.QUEUED) == 0
    assert not connection.exists(keys.FINISHED, keys.FAILED, keys.EXPIRY)


def test_a_deleted_report_is_not_brought_back_by_the_sweep(
    connection: Redis, leases: Leases, running: Execution
) -> None:
    connection.delete(keys.job(running.task_id), keys.lease(running.task_id))
    connection.zrem(keys.REGISTRY, running.task_id)

    assert list(leases.sweep()) == []
    assert find_keys(connection, running.task_id) == set()
