"""A broker that answers and takes nothing new: out of memory, of disk, a replica. Nothing is half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from harness.worker_process import Reports, StartWorkerOf
from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import TYPES, Status, Submission

SALES = Submission("Quarter", "sales")
BODY = {"title": "Quarter", "type": "sales"}


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    broker.stop()


@pytest.fixture
def redis(own_broker: Broker) -> Iterator[Redis]:
    with own_broker.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def queue(own_broker: Broker, redis: Redis) -> Iterator[Reports]:  # noqa: ARG001 - it empties the broker
    queue = Reports(own_broker.url)
    yield queue
    queue.connection.close()


@pytest.fixture
def client(queue: Reports) -> FlaskClient:
    app = Flask("host")
    app.config.update(SECRET_KEY="a secret for tests alone")
    app.register_blueprint(create_blueprint(services=Services(queue, TYPES)))
    return app.test_client()


@contextmanager
def out_of_memory(redis: Redis, _: Path) -> Iterator[None]:
    redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        redis.config_set("maxmemory", 0)


@contextmanager
def disk_refuses(redis: Redis, folder: Path) -> Iterator[None]:
    """A folder where the snapshot is to be: it cannot be written, and Redis then takes nothing new."""
    obstacle = folder / "dump.rdb"
    obstacle.unlink(missing_ok=True)
    obstacle.mkdir()
    redis.config_set("save", "3600 1")
    try:
        redis.bgsave()
        wait_until(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err")
        yield
    finally:
        obstacle.rmdir()
        redis.config_set("save", "")


@contextmanager
def made_a_replica(redis: Redis, _: Path) -> Iterator[None]:
    redis.replicaof("127.0.0.1", free_port())
    try:
        yield
    finally:
        redis.replicaof("NO", "ONE")


@dataclass(frozen=True)
class Fault:
    """A way in which a broker takes nothing, what is said of it, and what goes on all the same."""

    begin: Callable[[Redis, Path], AbstractContextManager[None]]
    sentence: str
    goes_on: tuple[str, ...] = ()


FAULTS = [
    # What only takes away, or begins with it, needs no memory.
    Fault(out_of_memory, "The broker is out of memory. ", ("retry", "delete")),
    Fault(disk_refuses, "The broker cannot write to its disk. "),
    Fault(made_a_replica, "The broker is a replica at present. "),
]


def read_everything(redis: Redis) -> dict[object, object]:
    return {key: redis.dump(key) for key in redis.scan_iter()}


def is_refused(answer: TestResponse, fault: Fault) -> bool:
    assert answer.mimetype == "application/problem+json", answer.text
    assert answer.get_json()["detail"].startswith(fault.sentence + "Nothing was accepted or changed")
    assert int(answer.headers["Retry-After"]) >= 1
    return answer.status_code == 503


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.begin.__name__)
def test_changes_are_refused_whole_and_reads_go_on(
    fault: Fault, client: FlaskClient, queue: Reports, redis: Redis, own_broker: Broker
) -> None:
    keyed = {"Idempotency-Key": "once"}
    known = client.post("/api/reports", json=BODY, headers=keyed).get_json()["task_id"]
    waiting, cancelled = queue.submit(SALES), queue.submit(SALES)
    queue.cancel(cancelled)

    with fault.begin(redis, own_broker.folder):
        before = read_everything(redis)

        assert is_refused(client.post("/api/reports", json=BODY), fault)
        assert is_refused(client.post("/api/reports", json=BODY, headers={"Idempotency-Key": "new"}), fault)
        assert is_refused(client.post(f"/api/reports/{waiting}/cancel"), fault)
        if "retry" not in fault.goes_on:
            assert is_refused(client.post(f"/api/reports/{cancelled}/retry"), fault)
        if "delete" not in fault.goes_on:
            assert is_refused(client.delete(f"/api/reports/{waiting}"), fault)

        assert read_everything(redis) == before
        assert client.get(f"/api/reports/{waiting}").get_json()["status"] == "pending"
        assert len(client.get("/api/reports").get_json()) == 3
        again = client.post("/api/reports", json=BODY, headers=keyed)
        assert again.get_json()["task_id"] == known
        if "retry" in fault.goes_on:
            assert client.post(f"/api/reports/{cancelled}/retry").status_code == 202
        if "delete" in fault.goes_on:
            assert client.delete(f"/api/reports/{waiting}").status_code == 204

    assert client.post("/api/reports", json=BODY, headers={"Idempotency-Key": "new"}).status_code == 202


def test_a_password_that_is_not_known_is_said_without_it(own_broker: Broker, redis: Redis) -> None:
    redis.config_set("requirepass", "secret")
    try:
        queue = Reports(own_broker.url.replace("://", "://:hunter2@"))
        app = Flask("host")
        app.config.update(SECRET_KEY="a secret for tests alone")
        app.register_blueprint(create_blueprint(services=Services(queue, TYPES)))

        answer = app.test_client().post("/api/reports", json=BODY)
        health = app.test_client().get("/health")
    finally:
        redis.config_set("requirepass", "")

    sentence = "The broker refuses the login, or does not allow this command. "
    assert answer.status_code == health.status_code == 503
    assert answer.get_json()["detail"].startswith(sentence)
    assert health.get_json()["reason"].startswith(sentence)


def test_a_worker_outlives_a_broker_that_takes_nothing_and_publishes_what_it_made(
    own_broker: Broker, queue: Reports, redis: Redis, start_worker: StartWorkerOf
) -> None:
    process = start_worker(own_broker.url, REPORTS_SIMULATED_SECONDS="1")

    kept_back = queue.submit(SALES)
    queue.wait_for(kept_back, Status.RUNNING)
    with disk_refuses(redis, own_broker.folder):
        wait_until(lambda: "cannot publish yet" in process.output, what="an end that cannot be written")
        assert queue.get(kept_back).status is Status.RUNNING
    assert queue.wait_for_end(kept_back).status is Status.COMPLETED
    assert queue.count_executions(kept_back) == 1

    frugal = queue.submit(SALES)
    queue.wait_for(frugal, Status.RUNNING)
    with out_of_memory(redis, own_broker.folder):
        assert queue.wait_for_end(frugal).status is Status.COMPLETED
        wait_until(
            lambda: "taking a report: the broker refuses a command" in process.output,
            what="a worker that cannot take a job",
        )
    assert queue.wait_for_end(queue.submit(SALES)).status is Status.COMPLETED
    assert not process.has_ended
    assert "Traceback" not in process.output
