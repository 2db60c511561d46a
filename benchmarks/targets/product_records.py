"""Many reports at once, as our product writes one."""

from __future__ import annotations

from datetime import timedelta

from redis import Redis

from reports_worker import ReportQueue, Submission
from reports_worker.broker import keys
from reports_worker.domain.report import Completed
from reports_worker.domain.task_id import new_task_id
from reports_worker.queue.leases import Execution, Leases

SUBMISSION = Submission("Q4 2026 sales", "sales")
TIMEOUT = timedelta(hours=1)

_RETENTION = timedelta(days=30)
_FIGURES = {
    "total_sales": 35420,
    "orders": 287,
    "average_order_value": 123.45,
    "top_product": "Product-42",
    "processing_time": 8,
}
_BATCH = 5000


def write_reports(redis: Redis, *, count: int, completed: bool) -> list[str]:
    """Let the product write one report, and have the server copy it; return the ids of all."""
    first = ReportQueue(redis, timeout=TIMEOUT).submit(SUBMISSION)
    if completed:
        _complete(redis, first)
    copies = [new_task_id() for _ in range(count - 1)]
    for start in range(0, len(copies), _BATCH):
        _copy(redis, first, copies[start : start + _BATCH])
    return [first, *copies]


def _complete(redis: Redis, task_id: str) -> None:
    leases, execution = Leases(redis, retention=_RETENTION), Execution(task_id, "benchmark")
    redis.lrem(keys.QUEUED, 0, task_id)
    leases.start(execution, worker="benchmark", expires=TIMEOUT)
    leases.publish(execution, Completed(_FIGURES))


def _copy(redis: Redis, first: str, copies: list[str]) -> None:
    expires = redis.zscore(keys.EXPIRY, first)
    with redis.pipeline(transaction=False) as pipeline:
        for task_id in copies:
            pipeline.copy(keys.job(first), keys.job(task_id))
        pipeline.zadd(keys.REGISTRY, dict.fromkeys(copies, 0))
        if expires is None:
            pipeline.rpush(keys.QUEUED, *copies)
        else:
            pipeline.zadd(keys.FINISHED, dict.fromkeys(copies, expires))
            pipeline.zadd(keys.EXPIRY, dict.fromkeys(copies, expires))
        pipeline.execute()
