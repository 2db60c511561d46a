"""A worker that drains completes its running report, takes no other, and ends with 0."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable

import pytest
from redis import Redis

from harness.wait import wait_until
from harness.worker_process import (
    OUR_COMMAND,
    ROOT,
    RQ_COMMAND,
    Reports,
    StartWorker,
    StartWorkerOf,
    WorkerProcess,
)
from reports_worker import NoSuchWorkerError, Status, Submission
from tests.integration.command_line_runs import run

SALES = Submission("Quarter", "sales")
# Less than a report takes: a drain has nothing to do with it.
SHORT = {"REPORTS_SIMULATED_SECONDS": "2", "REPORTS_GRACE": "0s"}

Order = Callable[[WorkerProcess, Reports], None]


def by_signal(process: WorkerProcess, _reports: Reports) -> None:
    process.send(signal.SIGUSR1)


def by_command(process: WorkerProcess, reports: Reports) -> None:
    reports.drain([name_of(process, reports)])


def by_what_stands_in_redis(process: WorkerProcess, reports: Reports) -> None:
    """Store the request to drain without a message, as if the worker's connection was lost."""
    reports.connection.hset(f"rq:worker:{name_of(process, reports)}", "draining_since", "now")


def name_of(process: WorkerProcess, reports: Reports) -> str:
    return next(worker.name for worker in reports.list_workers() if worker.pid == process.pid)


@pytest.mark.parametrize(
    "order", [pytest.param(by_signal, marks=pytest.mark.wide), by_command, by_what_stands_in_redis]
)
def test_an_idle_worker_that_is_drained_ends(worker: StartWorker, reports: Reports, order: Order) -> None:
    process = worker().wait_until_ready()

    order(process, reports)

    assert process.wait() == 0
    assert reports.list_workers() == []
    assert "event=finished" in process.output
    assert "Traceback" not in process.output


# A command is followed from the command line, below, by a busy worker, too.
@pytest.mark.parametrize("order", [by_signal, pytest.param(by_command, marks=pytest.mark.wide)])
def test_a_busy_worker_that_is_drained_completes_its_report_beyond_its_grace_period(
    worker: StartWorker, reports: Reports, order: Order
) -> None:
    process = worker(**SHORT).wait_until_ready()
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)
    waiting = reports.submit(SALES)

    order(process, reports)

    assert process.wait() == 0
    assert reports.get(task_id).status is Status.COMPLETED
    assert reports.count_executions(task_id) == 1
    assert reports.get(waiting).status is Status.PENDING


def test_a_drain_is_followed_from_the_command_line(
    worker: StartWorker, reports: Reports, broker_url: str
) -> None:
    process = worker(REPORTS_SIMULATED_SECONDS="300").wait_until_ready()
    name = name_of(process, reports)
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)
    listed = json.loads(run(broker_url, "workers", "--json").stdout)
    environ = {"PATH": "/usr/bin:/bin", "ConnectionStrings__broker": broker_url}

    command = [*OUR_COMMAND, "drain", "--all", "--wait"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as drain:
        assert drain.stdout is not None
        said, shown = drain.stdout.readline(), drain.stdout.readline()
        table = run(broker_url, "workers").stdout
        reports.cancel(task_id)
        ended = drain.stdout.read().splitlines()

    assert (listed["name"], listed["pid"], listed["state"]) == (name, process.pid, "busy")
    assert listed["task_id"] == task_id
    assert said == f"{name} drains\n"
    assert shown.startswith(f"{name} runs {task_id}: ")
    assert re.search(rf"^{name} .* draining .* {task_id} sales: Quarter$", table, re.MULTILINE)
    assert ended[-1] == f"{name} has ended"
    assert (drain.returncode, process.wait()) == (0, 0)


def test_sigterm_cuts_a_drain_short_after_the_grace(worker: StartWorker, reports: Reports) -> None:
    process = worker(REPORTS_SIMULATED_SECONDS="300", REPORTS_GRACE="0s").wait_until_ready()
    task_id = reports.submit(SALES)
    reports.wait_for(task_id, Status.RUNNING)
    process.send(signal.SIGUSR1)
    wait_until(lambda: "drains" in process.output, what="a worker that drains")

    process.send(signal.SIGTERM)

    assert process.wait() == 0
    assert reports.get(task_id).status is Status.PENDING
    assert reports.count_executions(task_id) == 0


def test_without_a_worker_of_that_name_none_is_drained(
    reports: Reports, redis: Redis, broker_url: str
) -> None:
    name = "idle-one"
    redis.sadd("rq:workers:reports", f"rq:worker:{name}")
    redis.hset(f"rq:worker:{name}", mapping={"birth": "2026-07-01T12:00:00Z", "state": "idle"})

    done = run(broker_url, "drain", name, "nobody")
    neither = run(broker_url, "drain")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"Error: There is no worker 'nobody'; there are: {name}.\n"
    assert neither.exit_code == 2
    assert [one.state for one in reports.list_workers()] == ["idle"]
    with pytest.raises(NoSuchWorkerError):
        reports.drain(["nobody"])


def test_what_stands_of_a_worker_in_redis_is_not_trusted(
    reports: Reports, redis: Redis, broker_url: str
) -> None:
    redis.sadd("rq:workers:reports", b"rq:worker:\xff", "rq:worker:gone", "rq:worker:odd", "else")
    odd_fields = {"birth": "yesterday", "pid": "many", "state": b"\xfe", "hostname": "\x1b[2Jhost"}
    redis.hset("rq:worker:odd", mapping=odd_fields)  # type: ignore[arg-type]
    redis.sadd("rq:worker:odd:executions", b"\xff:\xff")

    (odd,) = reports.list_workers()
    table = run(broker_url, "workers").stdout

    assert (odd.name, odd.pid, odd.state, odd.started_at, odd.report) == ("odd", None, "starting", None, None)
    assert "?[2Jhost" in table


@pytest.mark.parametrize(
    "number",
    [*(pytest.param(one, marks=pytest.mark.wide) for one in (signal.SIGTERM, signal.SIGINT)), signal.SIGUSR1],
)
def test_a_worker_that_is_stopped_before_it_has_started_ends_with_0(
    start_worker: StartWorkerOf, number: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = start_worker(f"redis://127.0.0.1:{silent.getsockname()[1]}", command=RQ_COMMAND)
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            process.send(number)

            assert process.wait() == 0
    assert "Traceback" not in process.output
