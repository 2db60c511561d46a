"""What others write into the queue, a report's hash or a worker's channel: it ends no worker and runs nothing."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from typing import Any, cast

import psutil
import pytest
from redis import Redis
from rq import Queue, Worker
from rq.command import send_shutdown_command
from rq.job import Job

from harness.wait import wait_until
from harness.worker_process import Reports, StartWorker, WorkerProcess
from reports_worker import Status, Submission
from reports_worker.broker import keys
from reports_worker.domain.task_id import new_task_id
from reports_worker.worker.job import ReportJob

SALES = Submission("Quarter", "sales")
FOREIGN = [b"bad.id", b"../../etc/passwd", b"<img src=x onerror=alert(1)>", b"\xff\xfe", b"", b"x" * 10**5]
LONG = {"REPORTS_SIMULATED_SECONDS": "2"}
# Commands of RQ, and one that looks like a command of RQ.
COMMANDS = ("stop-job", "kill-horse", "stop-execution")


def name_of(process: WorkerProcess, reports: Reports) -> str:
    return next(worker.name for worker in reports.list_workers() if worker.pid == process.pid)


def test_entries_that_rq_cannot_load_end_no_worker_and_hold_up_no_report(
    worker: StartWorker, reports: Reports, redis: Redis
) -> None:
    for entry in FOREIGN:
        redis.hset(b"rq:job:" + entry, mapping={"status": "queued", "exc_info": b"\xff"})
    redis.rpush(keys.QUEUED, *FOREIGN * 3)
    of_other_type, gone = new_task_id(), new_task_id()
    redis.set(keys.job(of_other_type), "no hash")
    redis.rpush(keys.QUEUED, of_other_type, gone)
    damaged = reports.submit(SALES)
    redis.hset(keys.job(damaged), "parameters", "{")
    ids = [reports.submit(SALES) for _ in range(4)]
    redis.hdel(keys.job(ids[0]), "data", "timeout", "origin", "created_at")
    redis.hset(keys.job(ids[0]), "created_at", "2026-01-02")
    odd: dict[Any, Any] = {
        "exc_info": b"\xff",
        "data": b"\x80",
        "meta": b"\xff",
        "timeout": "1e9",
        "retries_left": "many",
    }
    redis.hset(keys.job(ids[1]), mapping=odd)
    redis.hset(keys.job(ids[2]), mapping={b"\xff": b"\xfe", "ended_at": "", "last_heartbeat": "never"})

    process = worker().wait_until_ready()
    ended = [reports.wait_for_end(task_id) for task_id in ids]

    assert [report.status for report in ended] == [Status.COMPLETED] * 4
    assert redis.hget(keys.job(damaged), "reason") == b"rejected"
    wait_until(lambda: not redis.exists(keys.QUEUED, keys.INTERMEDIATE), what="an empty queue")
    assert not process.has_ended
    assert "Traceback" not in process.output
    assert process.output.count("b'bad.id' names no report") == 3


def test_a_report_runs_on_and_nothing_is_called_whatever_its_hash_and_commands_say(
    worker: StartWorker, reports: Reports, redis: Redis
) -> None:
    process = worker(**LONG).wait_until_ready()
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)
    for when in ("stopped", "success", "failure"):
        redis.hset(keys.job(task_id), f"{when}_callback_name", "this.s")
    (started,) = cast(list[bytes], redis.zrange(keys.STARTED, 0, -1))
    execution = started.decode().partition(":")[2]
    channel = keys.COMMANDS_PREFIX + name_of(process, reports)

    for command in COMMANDS:
        order = {"command": command, "job_id": task_id, "execution_id": execution}
        assert redis.publish(channel, json.dumps(order)) == 1

    assert reports.wait_for_end(task_id).status is Status.COMPLETED
    assert reports.count_executions(task_id) == 1
    for command in COMMANDS:
        assert f"an unsupported command is ignored: '{command}'" in process.output
    assert "Zen of Python" not in process.output


def test_callbacks_that_a_queued_job_names_are_not_looked_up(reports: Reports, redis: Redis) -> None:
    task_id = reports.submit(SALES)
    for when in ("stopped", "success", "failure"):
        redis.hset(keys.job(task_id), f"{when}_callback_name", "this.s")

    job = cast(ReportJob, ReportJob.fetch(task_id, connection=redis))

    assert (job.stopped_callback, job.success_callback, job.failure_callback) == (None, None, None)
    assert job.report is not None
    assert job.timeout == timedelta(hours=1).total_seconds()


def test_a_worker_still_obeys_the_shutdown_command_of_rq_after_nonsense_on_its_channel(
    worker: StartWorker, reports: Reports, redis: Redis
) -> None:
    process = worker().wait_until_ready()
    name = name_of(process, reports)
    threads = psutil.Process(process.pid).num_threads()
    for nonsense in (b"\xff", b"", b"{", b"[1]", b"7", b"null", b'{"command": ["drain"]}', b"[" * 10**5):
        redis.publish(keys.COMMANDS_PREFIX + name, nonsense)
    wait_until(lambda: process.output.count("an unsupported command") == 8, what="eight ignored commands")

    assert psutil.Process(process.pid).num_threads() == threads
    assert "Traceback" not in process.output
    send_shutdown_command(redis, name)

    assert process.wait() == 0


def test_a_worker_starts_and_works_beside_records_of_others(
    worker: StartWorker, reports: Reports, redis: Redis
) -> None:
    foreign = (b"\xff\xfe", b"", b"rq:worker:\xff", b"rq:group:\xff")
    for name in ("rq:workers", "rq:workers:reports", "rq:queues", "rq:groups"):
        redis.sadd(name, *foreign)
    redis.set(b"rq:worker:\xff", "no hash")

    process = worker().wait_until_ready()
    for _ in range(2):
        # The thread that renews leases takes it out, the second time too.
        redis.zadd(keys.EXPIRY, {b"\xff\xfe": 0})
        wait_until(lambda: not redis.exists(keys.EXPIRY), what="a sweep")

    assert reports.wait_for_end(reports.submit(SALES)).status is Status.COMPLETED
    wait_until(
        lambda: redis.smembers("rq:queues") == {b"rq:queue:reports"}, what="queues without foreign entries"
    )
    assert b"\xff\xfe" not in redis.smembers("rq:workers:reports")
    assert "Traceback" not in process.output
    process.send(signal.SIGTERM)
    assert process.wait() == 0


def test_a_status_that_rq_does_not_know_ends_no_worker(
    worker: StartWorker, reports: Reports, redis: Redis
) -> None:
    process = worker(REPORTS_SIMULATED_SECONDS="300").wait_until_ready()
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)
    redis.hset(keys.job(task_id), "status", "abc")

    process.wait_for_job_process().kill()

    wait_until(lambda: reports.get(task_id).status is Status.RUNNING, what="another execution")
    assert not process.has_ended


def test_a_worker_whose_own_keys_are_overwritten_works_on_once_its_record_is_gone(
    worker: StartWorker, reports: Reports, redis: Redis
) -> None:
    process = worker().wait_until_ready()
    record = keys.WORKER_PREFIX + name_of(process, reports)
    # The worker replaces what stands for the list of its executions.
    redis.set(f"{record}:executions", "no set")
    assert reports.wait_for_end(reports.submit(SALES)).status is Status.COMPLETED
    redis.set(record, "no hash")
    task_id = reports.submit(SALES)
    wait_until(lambda: "the broker refuses a command: WRONGTYPE" in process.output, what="a line about it")
    redis.delete(record)

    assert reports.wait_for_end(task_id).status is Status.COMPLETED
    assert not process.has_ended
    wait_until(
        lambda: [one.pid for one in reports.list_workers()] == [process.pid], what="the worker in the list"
    )


@pytest.mark.parametrize(
    ("theirs", "name"),
    [
        (Worker, "_pubsub_exception_handler"),
        (Worker, "handle_payload"),
        (Worker, "run_maintenance_tasks"),
        (Queue, "lmove"),
        (Job, "restore"),
        (Job, "refresh"),
    ],
)
def test_what_is_overridden_of_rq_is_still_there(theirs: type, name: str) -> None:
    assert callable(getattr(theirs, name))
