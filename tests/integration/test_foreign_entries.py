"""Each reader of Redis, over a real broker in which others have written what is no report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness.wait import wait_until
from harness.worker_process import Reports
from reports_app.services.completion import CompletionWaiter
from reports_worker import BrokerUnavailableError, Selection, Status, Submission
from reports_worker.artifacts.filesystem import FolderStore
from reports_worker.broker import keys
from reports_worker.domain.idempotency import IdempotencyKey
from reports_worker.domain.report import Completed
from reports_worker.domain.task_id import new_task_id
from reports_worker.queue import report_index as registry
from reports_worker.queue.callback_outbox import Deliveries
from reports_worker.queue.leases import SUSPICION, Execution, Leases, Renewal
from reports_worker.queue.stored_entries import LONGEST_FOREIGN, MOST_FOREIGN, set_aside
from reports_worker.queue.worker_records import Workers
from reports_worker.worker.artifact_cleaner import ArtifactCleaner
from reports_worker.worker.reconciler import Reconciler
from tests.integration.command_line_runs import run
from tests.integration.foreign import FOREIGN, read_quarantine, scores

RETENTION = timedelta(days=30)
RUN = timedelta(hours=1)
SALES = Submission("Quarter", "sales", callback_url="https://example.com/")


@pytest.fixture
def leases(redis: Redis) -> Leases:
    return Leases(redis, retention=RETENTION)


def begin(redis: Redis, leases: Leases, task_id: str) -> Execution:
    redis.lrem(keys.QUEUED, 0, task_id)
    execution = Execution(task_id, "x")
    assert leases.start(execution, worker="w", expires=RUN)
    return execution


# -- the list


@pytest.mark.parametrize(
    "selection", [Selection(), Selection(status=Status.PENDING), Selection(query="quart")]
)
def test_the_list_shows_the_reports_among_foreign_entries(
    reports: Reports, redis: Redis, selection: Selection
) -> None:
    ids = [reports.submit(SALES) for _ in range(5)]
    redis.zadd(keys.REGISTRY, scores())
    redis.zadd(keys.REGISTRY, {b"\xff%d" % number: 0 for number in range(2500)})

    found, cursor = list[str](), None
    while True:
        page = reports.list(limit=2, cursor=cursor, selection=selection)
        found += [report.task_id for report in page.reports]
        if (cursor := page.next_cursor) is None:
            break

    assert found == ids[::-1]


def test_the_command_line_lists_reports_and_workers_among_foreign_entries(
    reports: Reports, redis: Redis, broker_url: str
) -> None:
    task_id = reports.submit(SALES)
    redis.zadd(keys.REGISTRY, scores())
    redis.sadd(keys.WORKERS, *FOREIGN, "rq:worker:text", "rq:worker:odd")
    redis.set("rq:worker:text", "no hash")
    redis.hset("rq:worker:odd", mapping={"birth": "x", "pid": "9" * 5000})
    redis.set("rq:worker:odd:executions", "no set")

    listed, workers = run(broker_url, "list"), run(broker_url, "workers", "--json")

    assert (listed.exit_code, workers.exit_code) == (0, 0), listed.output + workers.output
    assert listed.stdout.startswith(task_id)
    assert '"name": "odd"' in workers.stdout
    assert workers.stdout.count("\n") == 1


def test_one_report_whose_key_holds_something_else_is_none_and_hides_no_other(
    reports: Reports, redis: Redis
) -> None:
    broken, task_id = reports.submit(SALES), reports.submit(SALES)
    redis.set(keys.job(broken), "no hash")

    assert reports.find(broken) is None
    assert reports.find_preview(broken) is None
    assert [report.task_id for report in reports.list().reports] == [task_id]
    assert [report.task_id for report in reports.list(selection=Selection(type="sales")).reports] == [task_id]


@pytest.mark.parametrize(
    "write", [lambda redis, key: redis.set(key, b"\xff"), lambda redis, key: redis.rpush(key, "x")]
)
def test_whatever_stands_for_a_pause_pauses(
    reports: Reports, redis: Redis, write: Callable[[Redis, str], object]
) -> None:
    task_id = reports.submit(SALES)
    write(redis, keys.SUSPENDED)

    assert reports.list().pause is not None
    assert reports.get(task_id).pause is not None
    assert reports.find_pause() is not None
    assert reports.pause(timedelta(minutes=1)).until is not None
    assert reports.resume()
    assert reports.find_pause() is None


def test_a_submit_passes_over_what_another_wrote_for_its_keys(reports: Reports, redis: Redis) -> None:
    submission = Submission("Quarter", "sales", max_age=timedelta(hours=1))
    key = IdempotencyKey.of("a key", submission)
    name = keys.IDEMPOTENCY_PREFIX + key.name
    redis.hset(name, mapping={"id": b"\xff", "digest": key.digest})

    first = reports.accept(submission, idempotency_key=key).task_id
    assert reports.accept(submission, idempotency_key=key).task_id == first
    for newest in redis.scan_iter(f"{keys.NEWEST_PREFIX}*"):
        redis.delete(newest)
        redis.rpush(newest, "no text")
    redis.delete(name)
    redis.set(name, "no hash")
    second = reports.accept(submission, idempotency_key=key).task_id

    assert second != first
    assert {report.task_id for report in reports.list().reports} == {first, second}


@pytest.mark.parametrize(
    ("key", "asks"),
    [
        (keys.REGISTRY, (Reports.list, ["list"])),
        (keys.QUEUED, (lambda reports: reports.submit(SALES), ["submit", "Quarter", "sales"])),
        (keys.WORKERS, (Reports.list_workers, ["workers"])),
    ],
    ids=["registry", "queue", "workers"],
)
def test_a_shared_key_of_the_wrong_type_is_said_in_a_sentence_and_is_over_when_it_is_gone(
    reports: Reports,
    redis: Redis,
    broker_url: str,
    key: str,
    asks: tuple[Callable[[Reports], object], list[str]],
) -> None:
    ask, command = asks
    redis.set(key, "x")

    with pytest.raises(BrokerUnavailableError) as caught:
        ask(reports)
    asked = run(broker_url, *command)
    redis.delete(key)

    sentence = "A key in the broker has a wrong type. "
    assert caught.value.sentence.startswith(sentence)
    assert asked.exit_code == 1
    assert asked.stderr.startswith("Error: The broker cannot be used: WRONGTYPE")
    assert "Traceback" not in asked.stderr

    task_id = reports.submit(SALES)
    assert task_id in [report.task_id for report in reports.list().reports]
    assert reports.list_workers() == []


# -- scripts of the workers


def test_the_reconciler_takes_foreign_entries_out_once_and_touches_no_keys_of_others(
    reports: Reports, redis: Redis, reconciler: Reconciler, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [reports.submit(SALES) for _ in range(3)]
    redis.hset("rq:job:bad.id", "status", "queued")
    redis.zadd(keys.REGISTRY, scores())
    redis.rpush(keys.QUEUED, *FOREIGN)

    assert list(reconciler.reconcile()) == []
    told = list(caplog.messages)
    assert list(reconciler.reconcile()) == []

    assert reconciler.do_counts_agree()
    assert redis.zrange(keys.REGISTRY, 0, -1) == sorted(task_id.encode() for task_id in ids)
    assert redis.lrange(keys.QUEUED, 0, -1) == [task_id.encode() for task_id in ids]
    assert redis.hgetall("rq:job:bad.id") == {b"status": b"queued"}
    assert len(told) == 2 * len(FOREIGN)
    assert caplog.messages == told
    assert read_quarantine(redis) == sorted(
        f"{place} ".encode() + entry[:LONGEST_FOREIGN]
        for place in (keys.REGISTRY, keys.QUEUED)
        for entry in FOREIGN
    )


def test_the_quarantine_holds_the_newest_entries_only_and_stops_nothing(
    redis: Redis, leases: Leases, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MOST_FOREIGN + 50):
        redis.zadd(keys.EXPIRY, {b"\xff%d" % number: number})
    while redis.exists(keys.EXPIRY):
        list(leases.sweep())

    assert redis.llen(keys.FOREIGN) == MOST_FOREIGN
    assert len(caplog.messages) == MOST_FOREIGN + 50
    set_aside(redis, keys.REGISTRY, [b"newest"])
    assert redis.llen(keys.FOREIGN) == MOST_FOREIGN
    assert redis.lindex(keys.FOREIGN, 0) == b"rq:reports newest"

    redis.delete(keys.FOREIGN)
    redis.set(keys.FOREIGN, "no list")
    set_aside(redis, keys.REGISTRY, [b"\xff"])
    redis.zadd(keys.EXPIRY, {b"\xff": 0})
    list(leases.sweep())
    assert not redis.exists(keys.EXPIRY)


def test_what_a_version_of_this_product_can_have_written_is_not_put_into_quarantine(
    redis: Redis, leases: Leases, reconciler: Reconciler
) -> None:
    gone = new_task_id()
    redis.rpush(keys.INTERMEDIATE, gone)
    redis.rpush(keys.QUEUED, gone, gone)
    redis.zadd(keys.EXPIRY, {gone: 0})
    redis.sadd(keys.WORKERS, "rq:worker:killed")

    list(leases.sweep())
    list(reconciler.reconcile())
    Workers(redis).forget_gone()

    assert not redis.exists(keys.INTERMEDIATE, keys.QUEUED, keys.EXPIRY, keys.WORKERS, keys.FOREIGN)


def test_a_lock_that_another_wrote_keeps_the_reconciler_from_its_work_for_seconds_only(
    redis: Redis, reconciler: Reconciler
) -> None:
    redis.set(keys.RECONCILING, "x")

    assert list(reconciler.reconcile()) == []

    assert 0 < redis.ttl(keys.RECONCILING) <= 10


def test_a_key_of_the_wrong_type_is_named_for_operators(redis: Redis, reconciler: Reconciler) -> None:
    redis.set(keys.EXPIRY, "x")

    with pytest.raises(Exception, match="rq:reports:expiry holds a string instead of a zset: remove it"):
        reconciler.check()


def test_the_sweep_takes_out_foreign_entries_and_puts_back_the_report_among_them(
    reports: Reports, redis: Redis, leases: Leases, caplog: pytest.LogCaptureFixture
) -> None:
    lost, taken = reports.submit(SALES), reports.submit(SALES)
    begin(redis, leases, lost)
    redis.delete(keys.lease(lost))
    redis.lrem(keys.QUEUED, 0, taken)
    redis.zadd(keys.STARTED, scores() | {b"\xff:\xff": 0, b"bad.id:x": 0})
    redis.zadd(keys.EXPIRY, scores())
    redis.zadd(keys.SUSPECTS, scores() | {b"\xff": 0, taken: 1e18})
    redis.rpush(keys.INTERMEDIATE, *FOREIGN, taken)

    assert list(leases.sweep()) == [(lost, "queued")]
    messages = list(caplog.messages)
    assert list(leases.sweep()) == []
    redis.zincrby(keys.SUSPECTS, -SUSPICION.total_seconds(), taken)
    assert list(leases.sweep()) == [(taken, "queued")]
    assert caplog.messages == messages
    list(leases.sweep())
    told = list(caplog.messages)
    list(leases.sweep())

    assert caplog.messages == told
    assert len(messages) == 3 * len(FOREIGN) + 2
    assert len(told) == len(messages) + 1
    everywhere = (keys.STARTED, keys.INTERMEDIATE, keys.EXPIRY)
    assert read_quarantine(redis) == sorted(
        [f"{place} ".encode() + entry[:LONGEST_FOREIGN] for place in everywhere for entry in FOREIGN]
        + [f"{keys.STARTED} ".encode() + entry for entry in (b"\xff:\xff", b"bad.id:x")]
        + [f"{keys.SUSPECTS} ".encode() + b"\xff"]
    )
    assert redis.lrange(keys.QUEUED, 0, -1) == [taken.encode(), lost.encode()]
    assert not redis.exists(keys.STARTED, keys.EXPIRY, keys.SUSPECTS, keys.INTERMEDIATE)


@pytest.mark.parametrize("at", ["abc", b"\xff", "nan", "inf", "-1e300", ""])
@pytest.mark.parametrize("field", ["at", "quiet_until"])
def test_no_time_that_another_wrote_keeps_the_sweep_from_its_work(
    reports: Reports, redis: Redis, leases: Leases, field: str, at: str | bytes
) -> None:
    task_id = reports.submit(SALES)
    begin(redis, leases, task_id)
    redis.delete(keys.lease(task_id))
    redis.hset(keys.SWEEP, field, at)

    list(leases.sweep())
    # A time from which nothing can be told counts as a long pause, after which leases are given their time.
    if (until := redis.hget(keys.SWEEP, "quiet_until")) and field == "at":
        assert float(until) <= redis.time()[0] + 14
        redis.hdel(keys.SWEEP, "quiet_until")
    list(leases.sweep())

    assert reports.get(task_id).status is Status.PENDING


@pytest.mark.parametrize("executions", ["abc", "nan", b"\xff", "-5", "1e9"])
def test_a_count_that_is_none_keeps_no_report_from_its_end(
    reports: Reports, redis: Redis, leases: Leases, executions: str | bytes
) -> None:
    task_id = reports.submit(SALES)
    for field in ("executions", "endings", "missed_starts"):
        redis.hset(keys.job(task_id), field, executions)

    first = begin(redis, leases, task_id)
    redis.hset(keys.job(task_id), "executions", executions)
    assert leases.requeue(first, spent=False) == "queued"
    second = begin(redis, leases, task_id)
    redis.hset(keys.job(task_id), "executions", executions)
    redis.delete(keys.lease(task_id))
    assert list(leases.sweep()) == [(task_id, "queued")]
    third = Execution(task_id, "third")
    assert leases.start(third, worker="w", expires=RUN)
    assert leases.publish(third, Completed({"total": 7}))

    assert second.task_id == task_id
    assert reports.get(task_id).status is Status.COMPLETED
    assert redis.zscore(keys.DELIVERIES, task_id) is not None


def write_text(redis: Redis, key: str) -> None:
    redis.set(key, "foreign")


def write_list(redis: Redis, key: str) -> None:
    redis.delete(key)
    redis.rpush(key, "x")


@pytest.mark.parametrize("write", [write_text, write_list])
def test_a_lease_that_another_wrote_loses_no_report(
    reports: Reports, redis: Redis, leases: Leases, write: Callable[[Redis, str], None]
) -> None:
    running, taken = reports.submit(SALES), reports.submit(SALES)
    execution = begin(redis, leases, running)
    redis.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT")
    for task_id in (running, taken):
        write(redis, keys.lease(task_id))

    assert leases.renew(execution) is Renewal.LOST
    assert not leases.progress(execution, 50, "half")
    list(leases.sweep())

    for task_id in (running, taken):
        assert redis.pttl(keys.lease(task_id)) in (-2, *range(12_001))


@pytest.mark.parametrize("prefix", [keys.JOB_PREFIX, keys.EXECUTIONS_PREFIX])
def test_a_running_report_whose_keys_were_overwritten_ends_no_sweep(
    reports: Reports, redis: Redis, leases: Leases, prefix: str
) -> None:
    broken, task_id = reports.submit(SALES), reports.submit(SALES)
    executions = [begin(redis, leases, one) for one in (broken, task_id)]
    redis.delete(prefix + broken)
    redis.set(prefix + broken, "x")
    redis.set(f"{keys.EXECUTION_PREFIX}{broken}:x", "no hash")

    assert leases.publish(executions[0], Completed({})) is (prefix != keys.JOB_PREFIX)
    redis.delete(keys.lease(task_id))

    assert list(leases.sweep()) == [(task_id, "queued")]


def test_deliveries_pass_over_what_is_none(
    reports: Reports, redis: Redis, leases: Leases, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [reports.submit(SALES) for _ in range(4)]
    for task_id in ids:
        assert leases.publish(begin(redis, leases, task_id), Completed({}))
    redis.hset(keys.job(ids[0]), "endings", "abc")
    redis.hset(keys.job(ids[1]), "callback_attempts", "abc")
    redis.set(keys.job(ids[2]), "no hash")
    redis.zadd(keys.DELIVERIES, scores() | dict.fromkeys(ids[:3], 0))
    redis.hset("rq:job:bad.id", mapping={"status": "finished", "endings": 1, "callback_url": "https://x/"})

    deliveries = Deliveries(redis, retention=RETENTION, delays=[])
    found = deliveries.claim()

    assert found is not None
    assert found.report.task_id == ids[3]
    assert deliveries.claim() is None
    assert redis.zrange(keys.DELIVERIES, 0, -1) == sorted([ids[1].encode(), ids[3].encode()])
    assert len(read_quarantine(redis)) == len(caplog.messages) == len(FOREIGN)


def test_the_cleaner_goes_on_behind_what_is_no_report(
    reports: Reports, redis: Redis, leases: Leases, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = FolderStore(tmp_path / "artifacts")
    task_id = reports.submit(SALES)
    begin(redis, leases, task_id)
    store.scratch_root.parent.mkdir()
    (ready := tmp_path / "ready").write_text("x")
    store.put(task_id, "old", "a.csv", ready)
    broken = new_task_id()
    redis.set(keys.job(broken), "no hash")
    redis.rpush(keys.lease(broken), "no text")
    redis.zadd(keys.FILES, scores(-2) | {task_id: -1, broken: -1})
    redis.set(keys.lease(task_id), b"\xff")

    ArtifactCleaner(redis, store, retention=RETENTION).clean()

    assert store.find_executions(task_id) == []
    assert redis.zrange(keys.FILES, 0, -1) == []
    assert len(caplog.messages) == len(FOREIGN) == len(read_quarantine(redis))


# -- waiting for an end


def test_who_waits_is_woken_by_the_end_and_by_nothing_foreign(
    reports: Reports, redis: Redis, leases: Leases
) -> None:
    task_id = reports.submit(SALES)
    execution = begin(redis, leases, task_id)
    completions = CompletionWaiter(reports, max_waiting=2)

    def find_readers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "completion-waiter"]

    with ThreadPoolExecutor(1) as pool:
        waiting: Any = pool.submit(completions.find_ended, task_id, seconds=30)
        wait_until(lambda: redis.pubsub_numsub(keys.ENDED_CHANNEL)[0][1] == 1, what="a reader")
        reader = find_readers()
        for entry in FOREIGN:
            redis.publish(keys.ENDED_CHANNEL, entry)
        assert not waiting.done()
        assert leases.publish(execution, Completed({}))
        report, has_waited = waiting.result(20)

    assert (report.status, has_waited) == (Status.COMPLETED, True)
    assert reader[0].name == "completion-waiter"
    wait_until(lambda: not find_readers(), what="the end of the reader")


def test_the_registry_is_rebuilt_of_reports_alone(reports: Reports, redis: Redis) -> None:
    task_id = reports.submit(SALES)
    redis.delete(keys.REGISTRY)
    redis.rpush(keys.QUEUED, *FOREIGN)
    redis.zadd(keys.FAILED, scores())

    assert registry.rebuild(redis) == 1
    assert redis.zrange(keys.REGISTRY, 0, -1) == [task_id.encode()]
