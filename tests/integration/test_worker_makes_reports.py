"""Reports run by real workers, from the request to the end."""

from __future__ import annotations

import json
import pickle
import zlib
from pathlib import Path
from typing import Any

from redis import Redis

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import OUR_COMMAND, RQ_COMMAND, Reports, StartWorker, StartWorkerOf
from reports_worker import CATALOG, Status, Submission, __version__
from reports_worker.domain.task_id import new_task_id


def test_a_report_of_each_type_completes_and_one_of_no_type_fails(
    worker: StartWorker, reports: Reports
) -> None:
    process = worker(command=RQ_COMMAND)
    unknown = reports.submit(Submission("Quarter", "forecast"))
    ids = {name: reports.submit(Submission(f"Of {name}", name)) for name in CATALOG}

    ended = {name: reports.wait_for_end(task_id) for name, task_id in ids.items()}

    for name, report in ended.items():
        assert report.status is Status.COMPLETED
        assert report.result is not None
        assert list(report.result)[:2] == ["title", "type"]
        assert report.result["title"] == f"Of {name}"
        assert report.started_at is not None
        assert report.ended_at is not None
        assert report.created_at <= report.started_at <= report.ended_at
        assert reports.count_executions(ids[name]) == 1
    assert reports.wait_for_end(unknown).reason == "unknown_type"
    assert reports.count_executions(unknown) == 1
    assert process.output.count(f": background-reports {__version__}\n") == 1


def test_an_execution_leaves_nothing_behind(worker: StartWorker, reports: Reports, redis: Redis) -> None:
    worker(command=OUR_COMMAND)
    task_id = reports.submit(Submission("Quarter", "sales"))
    assert reports.wait_for_end(task_id).status is Status.COMPLETED

    def find_left() -> set[bytes]:
        others = (b"worker", b"clean", b"newest")
        return {key for key in redis.scan_iter() if not any(word in key for word in others)}

    expected = {
        *(b"rq:queues", b"rq:reports", b"rq:reports:expiry", b"rq:finished:reports", b"rq:reports:schema"),
        f"rq:job:{task_id}".encode(),
    }
    wait_until(lambda: find_left() == expected, what="nothing else to be left")
    assert redis.keys("rq:worker:*:executions") == []


def test_progress_is_visible_while_a_report_runs(worker: StartWorker, reports: Reports) -> None:
    worker(REPORTS_SIMULATED_SECONDS="2")
    task_id = reports.submit(Submission("Quarter", "sales"))

    seen = []

    def has_ended() -> bool:
        report = reports.get(task_id)
        if report.status is Status.RUNNING and report.progress not in seen:
            seen.append(report.progress)
        return report.status.is_terminal

    wait_until(has_ended, what="the end of the report")
    percents = [progress.percent for progress in seen]
    assert len(percents) > 2
    assert percents == sorted(percents)
    assert {"reading orders", "writing the report"} <= {progress.stage for progress in seen}
    assert reports.get(task_id).progress.percent == 100


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_data_in_redis_is_never_unpickled_or_called_and_a_foreign_job_is_not_run(
    worker: StartWorker, reports: Reports, redis: Redis, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    pickled = pickle.dumps(Touch(trap))
    called = json.dumps(["pathlib.Path.touch", None, [str(trap)], {}]).encode()
    ids = [reports.submit(Submission("Quarter", "sales")) for _ in range(4)]
    redis.hset(f"rq:job:{ids[0]}", mapping={"data": zlib.compress(pickled), "meta": pickled})
    redis.hset(f"rq:job:{ids[1]}", mapping={"data": pickled, "result": pickled})
    redis.hset(f"rq:job:{ids[2]}", "data", zlib.compress(called))
    redis.hset(f"rq:job:{ids[3]}", mapping={"data": called, "success_callback_name": "os.abort"})
    fields: dict[Any, Any] = {"status": "queued", "origin": "reports", "data": called}
    foreign = new_task_id()
    for name in ("foreign", foreign):
        redis.hset(f"rq:job:{name}", mapping=fields)
        redis.rpush("rq:queue:reports", name)

    process = worker()
    ended = [reports.wait_for_end(task_id) for task_id in ids]

    assert [report.status for report in ended] == [Status.COMPLETED] * 4
    wait_until(lambda: redis.hget(f"rq:job:{foreign}", "status") == b"failed", what="the end of the job")
    assert redis.hget(f"rq:job:{foreign}", "error") == b"The entry in the queue is not a valid report."
    assert process.output.count("b'foreign' names no report, so it is taken out of rq:queue:reports") == 1
    assert redis.hget("rq:job:foreign", "status") == b"queued"
    assert redis.llen("rq:queue:reports") + redis.llen("rq:queue:reports:intermediate") == 0
    assert not trap.exists()
    assert not process.has_ended
    pickle.loads(pickled)  # noqa: S301 - the trap works
    assert trap.exists()


def test_a_worker_that_waits_outlives_the_death_of_its_broker(
    tmp_path: Path, start_worker: StartWorkerOf
) -> None:
    broker = Broker(tmp_path / "broker").start()
    reports = Reports(broker.url)
    try:
        process = start_worker(broker.url).wait_until_ready()
        broker.kill()
        wait_until(lambda: "could not connect" in process.output, what="the worker's notice")
        broker.start()

        report = reports.wait_for_end(reports.submit(Submission("Quarter", "sales")))
        process.end()
    finally:
        broker.stop()
        reports.connection.close()

    assert report.status is Status.COMPLETED
