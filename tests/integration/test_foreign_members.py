"""Foreign members of RQ's registries, of the callback outbox and of RQ's sets of workers are taken out."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq import Worker

from harness.worker_process import Reports
from reports_worker import Submission
from reports_worker.broker import keys
from reports_worker.queue.stored_entries import LONGEST_FOREIGN
from reports_worker.queue.worker_records import Workers
from reports_worker.worker.reconciler import Reconciler
from tests.integration.foreign import FOREIGN, read_quarantine, scores


@pytest.mark.parametrize("key", [keys.FINISHED, keys.FAILED, "rq:scheduled:reports", "rq:deferred:reports",
                                 "rq:canceled:reports", keys.DELIVERIES])  # fmt: skip
def test_the_looks_of_a_worker_take_foreign_members_out_of_each_registry_and_of_the_outbox(
    reports: Reports, redis: Redis, reconciler: Reconciler, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    task_id = reports.submit(Submission("Quarter", "sales"))
    redis.zadd(keys.DELIVERIES, {task_id: 1})
    redis.zadd(key, scores(1))

    for _ in range(3):
        reconciler.check()

    assert redis.zrange(keys.DELIVERIES, 0, -1) == [task_id.encode()]
    assert redis.zcard(key) == (key == keys.DELIVERIES)
    assert read_quarantine(redis) == sorted(f"{key} ".encode() + entry[:LONGEST_FOREIGN] for entry in FOREIGN)
    assert len(caplog.messages) - sum("schema" in message for message in caplog.messages) == len(FOREIGN)


def test_many_foreign_members_are_taken_out_in_steps(redis: Redis, reconciler: Reconciler) -> None:
    redis.zadd(keys.DELIVERIES, {b"\xff%d" % number: 1 for number in range(5000)})

    reconciler.check()
    assert 3000 < redis.zcard(keys.DELIVERIES) < 5000
    for _ in range(20):
        reconciler.check()

    assert not redis.exists(keys.DELIVERIES)


def test_a_registry_of_the_wrong_type_is_named_and_keeps_no_other_from_being_examined(
    redis: Redis, reconciler: Reconciler
) -> None:
    redis.set("rq:scheduled:reports", "x")
    redis.zadd(keys.DELIVERIES, scores())

    with pytest.raises(Exception, match="rq:scheduled:reports holds a string instead of a zset: remove it"):
        reconciler.check()

    assert not redis.exists(keys.DELIVERIES)


def test_a_look_takes_out_the_workers_that_rq_cannot_read_and_keeps_the_others(
    redis: Redis, reconciler: Reconciler, caplog: pytest.LogCaptureFixture
) -> None:
    fields: dict[Any, Any] = {
        "birth": "2026-01-01T00:00:00.000000Z",
        "last_heartbeat": "2026-01-01T00:00:00Z",
        "pid": "7",
    }
    redis.hset("rq:worker:good", mapping=fields)
    redis.hset("rq:worker:\N{SNOWMAN}", mapping=fields | {"a field of a newer version": "x"})
    # As the worker of a newer version might write it: a live worker renews the expiry of its record.
    redis.hset("rq:worker:alive", mapping=fields | {"birth": "1.5"})
    redis.expire("rq:worker:alive", 400)
    good = {"rq:worker:good", "rq:worker:\N{SNOWMAN}", "rq:worker:gone", "rq:worker:alive"}
    redis.set("rq:worker:str", "x")
    odd: list[dict[Any, Any]] = [
        {"birth": b"\xff"},
        {b"\xff": "x"},
        {"pid": "x"},
        {"last_heartbeat": "today"},
    ]
    for number, record in enumerate(odd):
        redis.hset(f"rq:worker:{number}", mapping=fields | record)
    broken: list[Any] = [
        "rq:worker:str",
        *(f"rq:worker:{number}" for number in range(len(odd))),
        b"\xff",
        "worker",
        "",
    ]
    for key in (keys.WORKERS, keys.ALL_WORKERS):
        redis.sadd(key, *good, *broken)

    reconciler.check()
    reconciler.check()

    for key in (keys.WORKERS, keys.ALL_WORKERS):
        assert redis.smembers(key) == {name.encode() for name in good}
    # RQ's own reader, as rq-dashboard uses it.
    redis.delete("rq:worker:alive")
    assert {worker.name for worker in Worker.all(connection=redis)} == {"good", "\N{SNOWMAN}"}
    assert len(read_quarantine(redis)) == 2 * len(broken)
    assert len([message for message in caplog.messages if "taken out" in message]) == 2 * len(broken)
    assert redis.get("rq:worker:str") == b"x"


def test_workers_forget_entries_that_name_no_worker(redis: Redis) -> None:
    redis.hset("rq:worker:known", "birth", "x")
    for name in (keys.WORKERS, keys.ALL_WORKERS):
        redis.sadd(name, *FOREIGN, "rq:worker:gone", "rq:worker:known")

    Workers(redis).forget_gone()

    assert redis.smembers(keys.WORKERS) == redis.smembers(keys.ALL_WORKERS) == {b"rq:worker:known"}
    assert len(read_quarantine(redis)) == 2 * len(FOREIGN)
