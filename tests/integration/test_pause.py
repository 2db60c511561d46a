"""The queue is paused: real workers start no report, lose none, and continue when it is resumed."""

from __future__ import annotations

from datetime import timedelta

from redis import Redis

from harness.wait import wait_until
from harness.worker_process import Reports, StartWorker
from reports_worker import Status, Submission
from tests.integration.command_line_runs import run

SALES = Submission("Quarter", "sales")
LONG = {"REPORTS_SIMULATED_SECONDS": "1"}


def read_states(reports: Reports) -> list[str]:
    return [worker.state for worker in reports.list_workers()]


def test_no_report_starts_in_a_pause_and_all_run_after_it_and_a_running_one_continues(
    worker: StartWorker, reports: Reports, redis: Redis, broker_url: str
) -> None:
    processes = [worker(**LONG).wait_until_ready() for _ in range(2)]

    # Both workers wait at the queue: each takes the report in turn, and requeues it.
    reports.pause()
    ids = [reports.submit(SALES) for _ in range(3)]
    wait_until(lambda: read_states(reports) == ["paused", "paused"], what="two workers that look again")
    processes.append(worker(**LONG))
    wait_until(lambda: read_states(reports) == ["paused"] * 3, what="a worker that starts in the pause")

    assert {reports.get(task_id).status for task_id in ids} == {Status.PENDING}
    assert sorted(redis.lrange("rq:queue:reports", 0, -1)) == [task_id.encode() for task_id in ids]
    assert redis.keys("rq:execution*") + redis.keys("rq:lease*") == []
    lines = "".join(process.output for process in processes).splitlines()
    assert sum("INFO" in line and "not started: the queue is paused" in line for line in lines) == 2
    reports.resume()
    assert {reports.wait_for_end(task_id).status for task_id in ids} == {Status.COMPLETED}
    assert [reports.count_executions(task_id) for task_id in ids] == [1, 1, 1]
    assert_a_running_report_continues_in_a_pause_with_an_end(reports, broker_url)


def assert_a_running_report_continues_in_a_pause_with_an_end(reports: Reports, broker_url: str) -> None:
    running = reports.submit(SALES)
    reports.wait_for(running, Status.RUNNING)

    paused = run(broker_url, "pause", "--for", "3s")
    waiting = reports.submit(SALES)

    assert paused.exit_code == 0
    assert paused.stdout.startswith("The queue is paused until ")
    assert reports.wait_for_end(running).status is Status.COMPLETED
    assert reports.get(waiting).status is Status.PENDING
    assert reports.wait_for_end(waiting).status is Status.COMPLETED
    assert reports.get(waiting).started_at - reports.get(waiting).created_at > timedelta(seconds=1)  # type: ignore[operator]


def test_the_command_line_pauses_and_resumes(reports: Reports, broker_url: str) -> None:
    paused = run(broker_url, "pause")
    found = reports.find_pause()
    resumed = [run(broker_url, "resume") for _ in range(2)]
    refused = run(broker_url, "pause", "--for", "soon")

    assert paused.stdout == "The queue is paused. This command resumes it: python -m reports_worker resume\n"
    assert found is not None
    assert [done.stdout for done in resumed] == ["resumed\n", "the queue was not paused\n"]
    assert refused.exit_code == 2
    assert "'soon' is not valid: give a number with ms, s, m, h or d, such as 30s" in refused.stderr
