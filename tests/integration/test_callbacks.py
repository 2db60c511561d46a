"""Callbacks by real workers to a real receiver."""

from __future__ import annotations

import base64
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness.broker import Broker
from harness.ports import free_port
from harness.receiver import HANG, Receiver
from harness.wait import wait_until
from harness.worker_process import Reports, StartWorker, StartWorkerOf, WorkerProcess
from reports_worker import Callback, CallbackStatus, Report, Status, Submission

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ALLOWED = {
    "REPORTS_CALLBACK_HOSTS": "127.0.0.1, localhost",
    "REPORTS_CALLBACK_SECRET": SECRET,
    "REPORTS_CALLBACK_PRIVATE": "true",
    "REPORTS_CALLBACK_DELAYS": "100ms,100ms,1h",
}
DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "callbacks.md"
PENDING, DELIVERED, FAILED = CallbackStatus


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@dataclass(frozen=True)
class Office:
    """A worker that delivers callbacks for several tests, over a broker of its own."""

    reports: Reports
    worker: WorkerProcess


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Office]:
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    reports = Reports(broker.url)
    worker = start_worker(broker.url, **ALLOWED)
    yield Office(reports, worker)
    worker.end()
    reports.connection.close()
    broker.stop()


def ask(reports: Reports, url: str, report_type: str = "sales") -> str:
    return reports.submit(Submission("Quarter", report_type, callback_url=url))


def get_callback(reports: Reports, task_id: str) -> Callback:
    callback = reports.get(task_id).callback
    assert callback is not None
    return callback


def wait_for_callback(reports: Reports, task_id: str, *, attempts: int = 1) -> Callback:
    wait_until(
        lambda: get_callback(reports, task_id).attempts >= attempts, what=f"{attempts} attempts to deliver"
    )
    return get_callback(reports, task_id)


def make_due(redis: Redis, task_id: str) -> None:
    """What time does."""
    redis.zadd("rq:reports:deliveries", {task_id: 1}, xx=True)


def read_verifier() -> str:
    """The example in docs/how-to/callbacks.md of how a receiver checks a signature."""
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_each_end_is_told_once_and_signed(office: Office, receiver: Receiver) -> None:
    reports = office.reports
    # A report that waits is cancelled: the worker takes none in a pause.
    reports.pause()
    cancelled = ask(reports, receiver.url)
    reports.cancel(cancelled)
    reports.resume()
    completed, failed = ask(reports, receiver.url), ask(reports, receiver.url, "forecast")
    ids = [cancelled, completed, failed]

    callbacks = [wait_for_callback(reports, task_id) for task_id in ids]

    assert [callback.status for callback in callbacks] == [DELIVERED] * 3
    assert [callback.last_status for callback in callbacks] == [204] * 3
    told = {one.json["data"]["task_id"]: one for one in receiver.wait_for(3)}
    assert len(receiver.received) == 3
    verify: dict[str, Any] = {"headers": None, "body": b"", "secret": SECRET}
    for task_id, kind in zip(ids, ["failed", "completed", "failed"], strict=True):
        one, report = told[task_id], reports.get(task_id)
        assert one.path == "/hook?a=b"
        assert one.message_id == f"{task_id}:1"
        assert one.json["type"] == f"report.{kind}"
        assert one.json["data"].get("result") == report.result
        assert one.json["data"].get("reason") == report.reason
        verify |= {"headers": one.headers, "body": one.body}
        exec(read_verifier(), names := dict[str, Any]())  # noqa: S102 - our own documentation
        assert names["is_genuine"](**verify)
        assert not names["is_genuine"](**verify | {"body": one.body + b" "})


def test_a_callback_is_sent_again_after_an_error(office: Office) -> None:
    receiver = Receiver(500, 307)
    task_id = ask(office.reports, receiver.url)

    callback = wait_for_callback(office.reports, task_id, attempts=3)

    assert (callback.status, callback.attempts, callback.last_error) == (DELIVERED, 3, None)
    assert len({one.message_id for one in receiver.received}) == 1
    assert len({one.body for one in receiver.received}) == 1
    # Not to /elsewhere, where the redirect leads.
    assert [one.path for one in receiver.received] == ["/hook?a=b"] * 3
    receiver.close()


def test_a_callback_is_sent_again_after_a_refused_connection(office: Office) -> None:
    reports, port = office.reports, free_port()
    task_id = ask(reports, f"http://localhost:{port}/hook")

    refused = wait_for_callback(reports, task_id, attempts=3)
    receiver = Receiver(port=port)
    make_due(reports.connection, task_id)
    delivered = wait_for_callback(reports, task_id, attempts=4)
    receiver.close()

    assert (refused.status, refused.last_status) == (PENDING, None)
    assert refused.last_error is not None
    assert "refused" in refused.last_error
    assert (delivered.status, delivered.last_status) == (DELIVERED, 204)


def test_after_its_attempts_and_after_410_a_callback_has_failed(office: Office) -> None:
    gone, broken = Receiver(410), Receiver(*[503] * 9)
    ids = [ask(office.reports, gone.url), ask(office.reports, broken.url)]

    first = wait_for_callback(office.reports, ids[0])
    wait_for_callback(office.reports, ids[1], attempts=3)
    make_due(office.reports.connection, ids[1])
    second = wait_for_callback(office.reports, ids[1], attempts=4)

    assert (first.status, first.attempts, first.last_status) == (FAILED, 1, 410)
    assert (second.status, second.attempts, second.last_status) == (FAILED, 4, 503)
    gone.close()
    broken.close()


def test_neither_a_private_address_nor_a_host_that_the_worker_does_not_allow_is_asked(
    worker: StartWorker, reports: Reports, receiver: Receiver
) -> None:
    worker(**ALLOWED | {"REPORTS_CALLBACK_HOSTS": "localhost", "REPORTS_CALLBACK_PRIVATE": "false"})
    private = ask(reports, receiver.url.replace("127.0.0.1", "localhost"))
    another = ask(reports, receiver.url)

    assert "not public" in (wait_for_callback(reports, private).last_error or "")
    assert "REPORTS_CALLBACK_HOSTS" in (wait_for_callback(reports, another).last_error or "")
    assert receiver.received == []


def test_a_worker_without_allowed_hosts_delivers_nothing(
    worker: StartWorker, reports: Reports, redis: Redis, receiver: Receiver
) -> None:
    worker()
    task_id = ask(reports, receiver.url)

    reports.wait_for_end(task_id)
    reports.wait_for_end(ask(reports, receiver.url))

    assert redis.zcard("rq:reports:deliveries") == 2
    assert receiver.received == []


def test_receivers_that_hang_do_not_hold_up_the_making(office: Office) -> None:
    reports, receiver = office.reports, Receiver(*[HANG] * 5)
    hanging = [ask(reports, receiver.url) for _ in range(5)]
    receiver.wait_for(1)

    later = [reports.wait_for_end(reports.submit(Submission("Later", "sales"))) for _ in range(3)]

    assert [report.status for report in later] == [Status.COMPLETED] * 3
    # Not one of the attempts had come to an end by then.
    assert sum(get_callback(reports, task_id).attempts for task_id in hanging) == 0
    receiver.close()


def test_a_receiver_that_hangs_does_not_hold_up_another(office: Office) -> None:
    reports, dead, alive = office.reports, Receiver(*[HANG] * 9), Receiver()
    hanging = [ask(reports, dead.url.replace("127.0.0.1", "LOCALHOST")) for _ in range(9)]
    later = [ask(reports, alive.url) for _ in range(3)]

    callbacks = [wait_for_callback(reports, task_id) for task_id in later]

    assert [callback.status for callback in callbacks] == [DELIVERED] * 3
    # Not one of the attempts had come to an end by then, and no more than one had begun.
    assert sum(get_callback(reports, task_id).attempts for task_id in hanging) == 0
    assert len(dead.received) == 1
    dead.close()
    alive.close()


def test_a_report_deleted_while_it_is_delivered_is_not_brought_back(office: Office) -> None:
    reports, receiver = office.reports, Receiver(HANG)
    task_id = ask(reports, receiver.url)
    receiver.wait_for(1)

    reports.delete(task_id)
    receiver.close()

    wait_until(lambda: "status=dropped" in office.worker.output, what="the end of the attempt")
    assert reports.find(task_id) is None
    assert not reports.connection.exists(f"rq:job:{task_id}")
    assert reports.connection.zscore("rq:reports:deliveries", task_id) is None


def test_what_a_killed_worker_had_claimed_another_delivers_which_ends_though_a_receiver_hangs(
    worker: StartWorker, reports: Reports, redis: Redis
) -> None:
    receiver = Receiver(HANG, 204, HANG)
    process = worker(**ALLOWED)
    task_id = ask(reports, receiver.url)
    receiver.wait_for(1)
    process.send(signal.SIGKILL)
    process.wait()
    assert get_callback(reports, task_id) == Callback(receiver.url)

    another = worker(**ALLOWED)
    make_due(redis, task_id)

    assert wait_for_callback(reports, task_id).status is DELIVERED
    assert [one.message_id for one in receiver.wait_for(2)] == [f"{task_id}:1"] * 2

    ask(reports, receiver.url)
    receiver.wait_for(3)
    another.send(signal.SIGTERM)

    assert another.wait(seconds=8) == 0
    receiver.close()


# That an abandoned report is due is asked of the scripts in `test_callback_outbox`.
@pytest.mark.wide
def test_a_report_whose_worker_died_too_often_is_told_of(
    worker: StartWorker, reports: Reports, redis: Redis, receiver: Receiver
) -> None:
    task_id = ask(reports, receiver.url)
    redis.hset(f"rq:job:{task_id}", "executions", 3)
    process = worker(**ALLOWED, REPORTS_SIMULATED_SECONDS="60")
    reports.wait_for(task_id, Status.RUNNING)
    os.kill(process.wait_for_job_process().pid, signal.SIGKILL)

    message = receiver.wait_for(1)[0].json

    assert (message["type"], message["data"]["reason"]) == ("report.failed", "abandoned")
    report: Report = reports.get(task_id)
    assert report.reason == "abandoned"


# A refusal of the settings, as those in `test_worker_refusals`; its sentence is in `test_core`.
@pytest.mark.wide
def test_a_worker_with_hosts_and_no_secret_does_not_start(worker: StartWorker, broker: Broker) -> None:
    process = worker(REPORTS_CALLBACK_HOSTS="hooks.example.com")

    assert process.wait() == 1
    assert "REPORTS_CALLBACK_SECRET is not" in process.output
    assert broker.url not in process.output
