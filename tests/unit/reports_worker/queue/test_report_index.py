"""The registry behind the list, and its rebuilding from what RQ keeps."""

from __future__ import annotations

from datetime import timedelta

from redis import Redis

from reports_worker import ReportQueue, Submission
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Failed, Reason
from reports_worker.domain.task_id import new_task_id
from reports_worker.queue import report_index as registry
from reports_worker.queue.leases import Execution, Leases

RUN = timedelta(hours=1)


def test_a_lost_registry_is_rebuilt_from_all_places_where_a_report_can_be(
    queue: ReportQueue, leases: Leases, connection: Redis
) -> None:
    ids = [queue.submit(Submission(f"Report {number}", "sales")) for number in range(5)]
    executions = [Execution(task_id, "x") for task_id in ids]
    for execution in executions[:3]:
        connection.lrem(keys.QUEUED, 0, execution.task_id)
        assert leases.start(execution, worker="w", expires=RUN)
    assert leases.publish(executions[0], Completed({}))
    assert leases.publish(executions[1], Failed(Reason.ERROR, "It broke."))
    connection.lmove(keys.QUEUED, keys.INTERMEDIATE, "LEFT", "RIGHT")
    before = queue.list()
    connection.delete(keys.REGISTRY)

    count = registry.rebuild(connection)

    assert count == 5
    assert queue.list() == before


def test_rebuilding_forgets_nothing_and_takes_nothing_that_is_no_report(
    queue: ReportQueue, connection: Redis
) -> None:
    task_id = queue.submit(Submission("Quarter", "sales"))
    other = new_task_id()
    connection.zadd(keys.REGISTRY, {other: 0})
    connection.rpush(keys.QUEUED, "a job of something else")

    registry.rebuild(connection)

    assert connection.zrange(keys.REGISTRY, 0, -1) == sorted([task_id.encode(), other.encode()])


def test_an_empty_broker_has_an_empty_registry(connection: Redis) -> None:
    assert registry.rebuild(connection) == 0
