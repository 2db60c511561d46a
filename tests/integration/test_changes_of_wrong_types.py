"""A change that meets a shared key of the wrong type fails before it has written anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from harness.worker_process import Reports
from reports_worker import BrokerUnavailableError, Submission
from reports_worker.broker import keys
from reports_worker.domain.idempotency import IdempotencyKey
from reports_worker.domain.report import Completed, Failed, Reason
from reports_worker.queue.callback_outbox import Attempt, Deliveries, Delivery
from reports_worker.queue.leases import Execution, Leases
from reports_worker.queue.scripts import SharedScripts

RETENTION = timedelta(days=30)
RUN = timedelta(hours=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SALES = Submission("Quarter", "sales", callback_url="https://example.com/")
KEY = IdempotencyKey.of("a key", SALES)
FAILED = Failed(Reason.ERROR, "It broke.")

ENDS = (keys.EXPIRY, keys.DELIVERIES)
WAITS = (keys.QUEUED, keys.INTERMEDIATE, keys.SUSPECTS)
EVERY_PLACE = (*WAITS, *ENDS, keys.STARTED, keys.FINISHED, keys.FAILED, keys.REGISTRY, keys.FILES)


class Product(NamedTuple):
    """A broker with one report, and what changes it."""

    redis: Redis
    reports: Reports
    leases: Leases
    deliveries: Deliveries
    scripts: SharedScripts
    execution: Execution
    claimed: list[Delivery]

    @property
    def task_id(self) -> str:
        return self.execution.task_id

    def take(self) -> None:
        self.redis.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT")

    def take_while_paused(self) -> None:
        self.take()
        self.reports.pause()

    def start(self) -> None:
        self.take()
        assert self.leases.start(self.execution, worker="w", expires=RUN)

    def lose(self) -> None:
        self.start()
        self.redis.delete(keys.lease(self.task_id))

    def cancel_running(self) -> None:
        self.start()
        self.reports.cancel(self.task_id)

    def end(self) -> None:
        self.start()
        assert self.leases.publish(self.execution, FAILED)

    def lose_index(self) -> None:
        self.end()
        self.redis.zrem(keys.FAILED, self.task_id)

    def retry(self) -> bool:
        self.reports.retry(self.task_id)
        return True

    def delete(self) -> bool:
        self.reports.delete(self.task_id)
        return True

    def claim(self) -> None:
        self.end()
        delivery = self.deliveries.claim()
        assert delivery is not None
        self.claimed.append(delivery)


@pytest.fixture
def product(reports: Reports, redis: Redis) -> Product:
    return Product(
        redis,
        reports,
        Leases(redis, retention=RETENTION),
        Deliveries(redis, retention=RETENTION, delays=[RUN]),
        SharedScripts(redis, retention=RETENTION),
        Execution(reports.submit(SALES), "x"),
        [],
    )


class Change(NamedTuple):
    """The state before a change, the change, and the shared keys that the change writes."""

    prepare: Callable[[Product], object]
    run: Callable[[Product], object]
    writes: tuple[str, ...]


CHANGES = {
    "submit": Change(
        lambda _: None,
        lambda product: product.reports.submit(SALES, idempotency_key=KEY),
        (keys.REGISTRY, keys.QUEUES, keys.QUEUED),
    ),
    "start": Change(
        Product.take,
        lambda product: product.leases.start(product.execution, worker="w", expires=RUN),
        (keys.INTERMEDIATE, keys.SUSPECTS, keys.STARTED),
    ),
    "start while paused": Change(
        Product.take_while_paused,
        lambda product: product.leases.start(product.execution, worker="w", expires=RUN) == 0,
        WAITS,
    ),
    "complete": Change(
        Product.start,
        lambda product: product.leases.publish(product.execution, Completed({})),
        (*ENDS, keys.STARTED, keys.FINISHED),
    ),
    "fail": Change(
        Product.start,
        lambda product: product.leases.publish(product.execution, FAILED),
        (*ENDS, keys.STARTED, keys.FAILED, keys.FILES),
    ),
    "end as cancelled": Change(
        Product.cancel_running,
        lambda product: product.leases.publish(product.execution, Completed({})),
        (*ENDS, keys.STARTED, keys.FAILED, keys.FILES),
    ),
    "release": Change(
        Product.start,
        lambda product: product.leases.requeue(product.execution, spent=False),
        (keys.STARTED, keys.FILES, keys.QUEUED),
    ),
    "release of a cancelled report": Change(
        Product.cancel_running,
        lambda product: product.leases.requeue(product.execution, spent=False),
        (*ENDS, keys.STARTED, keys.FILES, keys.FAILED),
    ),
    "cancel": Change(
        lambda _: None,
        lambda product: product.reports.cancel(product.task_id),
        (*ENDS, *WAITS, keys.FAILED, keys.FILES),
    ),
    "retry": Change(
        Product.end,
        Product.retry,
        (*ENDS, *WAITS, keys.FAILED, keys.FILES),
    ),
    "delete": Change(
        lambda _: None,
        Product.delete,
        tuple(key for key in EVERY_PLACE if key != keys.STARTED),
    ),
    "delete of an ended report": Change(
        Product.end,
        Product.delete,
        (keys.REGISTRY, keys.FAILED),
    ),
    "delivery": Change(
        Product.claim,
        lambda product: product.deliveries.record(product.claimed[0], Attempt(status=500), now=NOW),
        (keys.DELIVERIES,),
    ),
    "sweep": Change(Product.lose, lambda product: list(product.leases.sweep()), EVERY_PLACE),
    "audit": Change(
        Product.lose_index,
        lambda product: product.scripts("audit", "now", product.task_id),
        tuple(key for key in EVERY_PLACE if key not in (keys.STARTED, keys.FAILED)),
    ),
    "repair of the queue": Change(
        lambda product: product.redis.rpush(keys.QUEUED, product.task_id),
        lambda product: product.scripts("repair_queue", product.task_id),
        (keys.QUEUED,),
    ),
}


def read_all(redis: Redis, *, but: str) -> dict[bytes, bytes]:
    names = [name for name in cast(list[bytes], redis.keys()) if name != but.encode()]
    return {name: cast(bytes, redis.dump(name)) for name in names}


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, change in CHANGES.items() for key in change.writes]
)
def test_a_change_that_meets_a_key_of_the_wrong_type_changes_nothing_until_the_key_is_mended(
    product: Product, name: str, key: str
) -> None:
    redis, change = product.redis, CHANGES[name]
    change.prepare(product)
    kept = redis.dump(key)
    redis.set(key, "x")
    before = read_all(redis, but=key)

    with pytest.raises((BrokerUnavailableError, ResponseError), match="WRONGTYPE"):
        change.run(product)

    assert read_all(redis, but=key) == before
    redis.delete(key)
    if kept is not None:
        redis.restore(key, 0, kept)
    assert change.run(product)
    assert read_all(redis, but=key) != before or redis.dump(key) != kept
