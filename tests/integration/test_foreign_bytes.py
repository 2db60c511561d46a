"""Foreign bytes at every key that the product reads: worker, API, pages and command line go on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import Reports, StartWorkerOf, WorkerProcess
from reports_worker import Status, Submission
from reports_worker.broker import keys
from reports_worker.domain.task_id import new_task_id
from reports_worker.queue.job_hash import FIELDS
from tests.extent import count_examples
from tests.integration.command_line_runs import run
from tests.integration.serving import Site, serve

# Enough to reach each key and each kind of change several times, in some 10 seconds.
EXAMPLES = count_examples(5, wide=120)
CHANGES = 25

Write = Callable[[Redis, Any, bytes], object]
WRITERS: dict[str, Write] = {
    "list": lambda redis, key, entry: redis.lpush(key, entry),
    "set": lambda redis, key, entry: redis.sadd(key, entry),
    "zset": lambda redis, key, entry: redis.zadd(key, {entry: 0}),
    "hash": lambda redis, key, entry: redis.hset(key, entry, entry),
    "string": lambda redis, key, entry: redis.set(key, entry),
}
PAGES = ("/", "/reports", "/?status=failed&q=a", "/rq/", "/types")
ANSWERS = ("/api/reports", "/api/reports?status=completed&q=a&type=sales", "/health", "/api/report-types")
# Fields beside those of a report that worker, scripts or RQ read.
OTHER_FIELDS = ("timeout", "data", "origin", "exc_info", "meta", "executions", "missed_starts", "endings",
                "cancelled_at", "published_by", "preview", "stopped_callback_name")  # fmt: skip
WORKER_FIELDS = ("birth", "death", "last_heartbeat", "hostname", "pid", "state", "draining_since")


@dataclass(frozen=True)
class Product:
    """A worker and an API over one broker."""

    broker: Broker
    redis: Redis
    reports: Reports
    worker: WorkerProcess
    site: Site
    threads: int


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    broker = Broker(folder / "broker").start()
    reports = Reports(broker.url)
    worker = start_worker(broker.url).wait_until_ready()
    threads = psutil.Process(worker.pid).num_threads()
    with serve(broker.url, folder / "api") as site, broker.client() as redis:
        yield Product(broker, redis, reports, worker, site, threads)
    worker.end()
    reports.connection.close()
    broker.stop()


json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(st.text(max_size=8), part, max_size=2),
    max_leaves=4,
).map(lambda value: json.dumps(value).encode())
shapes = st.sampled_from(
    [
        b'[{"name": 1}]',
        b'{"tables": [{}]}',
        b'{"charts": 5, "units": []}',
        b'"\\ud800"',
        b"[" * 10**4,
        b"1e999",
        b"0001-01-01T00:00:00",
        b"9999-12-31T23:59:59.999999Z",
        b"9" * 5000,
        b"-1",
        b"abc",
        b"\x1b[2J",
    ]
)
values = st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
entries = st.one_of(values, json_texts, shapes, st.builds(lambda: new_task_id().encode()))

members = st.tuples(st.just("member"), st.sampled_from(sorted(keys.TYPES)), entries)
report_fields = st.tuples(st.just("field"), st.sampled_from([*FIELDS, *OTHER_FIELDS]), entries)
report_types = st.tuples(
    st.just("key"),
    st.sampled_from([keys.JOB_PREFIX, keys.LEASE_PREFIX, keys.EXECUTIONS_PREFIX, keys.WORKER_PREFIX]),
    entries,
)
records = st.tuples(st.just("worker"), st.sampled_from(WORKER_FIELDS), entries)
strings = st.tuples(
    st.just("string"), st.sampled_from([keys.RECONCILING, keys.COMPARED, keys.DELETED_PREFIX]), entries
)
messages = st.tuples(st.just("message"), st.sampled_from([keys.ENDED_CHANNEL, "worker"]), entries)
changes = st.lists(
    st.one_of(members, report_fields, report_types, records, strings, messages),
    min_size=CHANGES,
    max_size=CHANGES,
)


def apply(product: Product, ids: list[str], change: tuple[str, str, bytes]) -> None:
    """Write as somebody would who knows our keys and means no good."""
    redis, (kind, name, entry) = product.redis, change
    task_id = ids[len(entry) % len(ids)]
    if kind == "member":
        WRITERS[keys.TYPES[name]](redis, name, entry)
    elif kind == "field":
        if redis.type(keys.job(task_id)) in (b"hash", b"none"):
            redis.hset(keys.job(task_id), name, entry)
    elif kind == "key":
        whose = b"\xff" if name == keys.WORKER_PREFIX else task_id.encode()
        # At once, since the worker may write there, too.
        with redis.pipeline() as pipeline:
            pipeline.delete(name.encode() + whose)
            WRITERS[sorted(WRITERS)[len(entry) % len(WRITERS)]](pipeline, name.encode() + whose, entry)
            pipeline.execute()
    elif kind == "worker":
        redis.sadd(keys.WORKERS, "rq:worker:odd")
        redis.hset("rq:worker:odd", name, entry)
    elif kind == "string":
        redis.set(name, entry)
    else:
        channel = keys.COMMANDS_PREFIX + product.reports.list_workers()[0].name
        redis.publish(channel if name == "worker" else name, entry)


def assert_all_answer(product: Product, *, also_refusals: bool = False) -> None:
    """Pages, API and command line answer; where a shared key is broken, perhaps with 503 and a sentence."""
    allowed = (200, 503) if also_refusals else (200,)
    for path in (*PAGES, *ANSWERS):
        answer = product.site.get(path)
        # RQ's own classes, which this page shows, fail over what names no queue until a worker takes it out.
        assert answer.status in ((200, 503) if path == "/rq/" else allowed), (path, answer.text)
        assert "Traceback" not in answer.text
    for command in ("list", "workers"):
        asked = run(product.broker.url, command)
        is_refused = also_refusals and asked.stderr.startswith("Error: The broker cannot be used")
        assert asked.exit_code == 0 or is_refused, asked.output


def assert_a_fresh_report_completes(product: Product) -> None:
    task_id = product.site.submit("Fresh")
    report = product.reports.wait_for_end(task_id, seconds=30)
    assert report.status is Status.COMPLETED, report.error
    assert product.site.get(f"/reports/{task_id}").status == 200


def assert_nothing_ended(product: Product) -> None:
    os.kill(product.worker.pid, 0)
    assert not product.worker.has_ended
    # A process that is made for the next report may be starting; threads are of the worker itself.
    process = psutil.Process(product.worker.pid)
    wait_until(lambda: process.num_threads() >= product.threads, seconds=5, what="all threads of the worker")
    assert product.site.process.poll() is None
    for text in (product.worker.output, product.site.text):
        assert "Exception in thread" not in text


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change_list=changes)
def test_foreign_bytes_at_every_key_end_nothing(
    product: Product, change_list: list[tuple[str, str, bytes]]
) -> None:
    submission = Submission("Quarter", "sales", callback_url="https://example.com/")
    ids = [product.reports.submit(submission) for _ in range(3)]
    product.reports.wait_for_end(ids[0])

    for change in change_list:
        apply(product, ids, change)

    for task_id in ids:
        for path in (f"/reports/{task_id}", f"/reports/{task_id}?partial", f"/api/reports/{task_id}"):
            answer = product.site.get(path)
            assert answer.status in (200, 404), (path, answer.text, product.site.text[-3000:])
    assert_all_answer(product)
    assert_a_fresh_report_completes(product)
    assert_all_answer(product)
    assert_nothing_ended(product)


def test_the_queue_dashboard_answers_again_once_a_worker_has_taken_broken_records_out(
    product: Product,
) -> None:
    names = ["rq:worker:half", "rq:worker:str"]
    product.redis.hset(names[0], "birth", b"\xff")
    product.redis.set(names[1], "x")
    for key in (keys.WORKERS, keys.ALL_WORKERS):
        product.redis.sadd(key, *names)

    wait_until(
        lambda: product.site.get("/rq/0/view/workers").status == 200, seconds=20, what="the page of workers"
    )
    assert len(product.reports.list_workers()) == 1
    assert product.redis.scard(keys.ALL_WORKERS) == 1
    product.redis.delete(*names)


# What becomes of these is asked of queue and reconciler in `test_foreign_entries`, too.
ASKED_ELSEWHERE = (keys.EXPIRY, keys.WORKERS)


@pytest.mark.parametrize(
    "key",
    [
        *(key for key in keys.TYPES if key not in ASKED_ELSEWHERE),
        *(pytest.param(key, marks=pytest.mark.wide) for key in ASKED_ELSEWHERE),
        keys.SUSPENDED,
    ],
)
def test_a_key_of_the_wrong_type_ends_nothing_and_is_over_when_it_is_gone(product: Product, key: str) -> None:
    product.redis.delete(key)
    WRITERS["string" if keys.TYPES.get(key) == "hash" else "hash"](product.redis, key, b"\xff")

    answer = product.site.request("POST", "/api/reports", body={"title": "Fresh", "type": "sales"})
    assert answer.status == 202 or (answer.status, answer.json["title"]) == (503, "Service Unavailable")
    assert_all_answer(product, also_refusals=True)
    product.redis.delete(key)

    assert_a_fresh_report_completes(product)
    assert_all_answer(product)
    assert_nothing_ended(product)
