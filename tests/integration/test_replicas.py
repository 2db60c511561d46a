"""Reports that count only when replicas of the broker have them (WAIT)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from harness.broker import Broker
from harness.wait import wait_until
from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_worker import (
    TYPES,
    BrokerUnavailableError,
    IdempotencyConflictError,
    IdempotencyKey,
    ReportQueue,
    Submission,
    connect,
)
from reports_worker.broker.address import parse_address
from reports_worker.errors import UnconfirmedError

SALES = Submission("Quarter", "sales")
KEY = IdempotencyKey.of("once", SALES)


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("primary"), "--repl-diskless-sync-delay", "0").start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def replica(primary: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    options = ("--replicaof", "127.0.0.1", str(primary.port))
    broker = Broker(tmp_path_factory.mktemp("replica"), *options).start()
    with broker.client() as client:
        wait_until(lambda: client.info("replication")["master_link_status"] == "up", what="a replica")
    with primary.client() as client:
        # On a busy machine the link is up for a moment before the replica confirms what it gets.
        wait_until(lambda: client.set("probe", "x") and client.wait(1, 1000) == 1, what="its confirmation")
    yield broker
    broker.stop()


@pytest.fixture
def queue(primary: Broker, replica: Broker) -> Iterator[ReportQueue]:  # noqa: ARG001 - it follows the primary
    with primary.client() as client:
        client.flushall()
    connection = connect(parse_address(primary.url))
    yield ReportQueue(connection, timeout=timedelta(hours=1), replicas=1)
    connection.close()


@pytest.fixture
def hung_replica(replica: Broker) -> Iterator[Broker]:
    os.kill(replica.pid, signal.SIGSTOP)
    yield replica
    os.kill(replica.pid, signal.SIGCONT)


def test_what_was_accepted_is_in_the_replica(queue: ReportQueue, replica: Broker) -> None:
    task_id = queue.submit(SALES)

    with replica.client() as client:
        assert client.exists(f"rq:job:{task_id}")


def test_a_broker_that_forgot_the_script_is_told_it_again(queue: ReportQueue) -> None:
    queue.submit(SALES)
    queue.connection.script_flush()

    assert queue.find(queue.submit(SALES)) is not None


def test_a_key_that_was_used_for_another_request_is_refused(queue: ReportQueue) -> None:
    queue.submit(SALES, idempotency_key=KEY)
    other = Submission("Other", "sales")

    with pytest.raises(IdempotencyConflictError):
        queue.submit(other, idempotency_key=IdempotencyKey.of("once", other))


def try_to_submit(queue: ReportQueue) -> str | None:
    try:
        return queue.submit(SALES, idempotency_key=KEY)
    except UnconfirmedError:
        return None


@pytest.mark.usefixtures("hung_replica")
def test_what_no_replica_has_is_not_accepted_though_it_is_there(queue: ReportQueue) -> None:
    with pytest.raises(UnconfirmedError):
        queue.submit(SALES)

    assert len(queue.list().reports) == 1


def test_a_repetition_is_accepted_when_the_replica_has_the_first(
    queue: ReportQueue, hung_replica: Broker
) -> None:
    with pytest.raises(UnconfirmedError):
        queue.submit(SALES, idempotency_key=KEY)
    # Over a connection that wrote nothing before.
    queue.connection.connection_pool.disconnect()
    with pytest.raises(UnconfirmedError):
        queue.submit(SALES, idempotency_key=KEY)

    os.kill(hung_replica.pid, signal.SIGCONT)
    task_id = wait_until(lambda: try_to_submit(queue), what="an accepted report")

    assert [report.task_id for report in queue.list().reports] == [task_id]
    with hung_replica.client() as client:
        assert client.exists(f"rq:job:{task_id}")


@pytest.mark.usefixtures("hung_replica")
def test_the_api_reports_that_an_unconfirmed_report_may_run(queue: ReportQueue) -> None:
    app = Flask("host")
    app.config.update(SECRET_KEY="a secret for tests alone")
    app.register_blueprint(create_blueprint(services=Services(queue, TYPES)))

    answer = app.test_client().post("/api/reports", json={"title": "Q4", "type": "sales"})

    assert answer.status_code == 503
    assert "it may run. Send the request again with the same Idempotency-Key" in answer.get_json()["detail"]


def test_too_few_replicas_give_a_warning(primary: Broker, replica: Broker) -> None:  # noqa: ARG001
    with connect(parse_address(primary.url)) as connection:
        queue = ReportQueue(connection, timeout=timedelta(hours=1), replicas=2)

        assert queue.check().warnings == (
            (
                "The broker has 1 replicas and REPORTS_BROKER_REPLICAS is 2: "
                "no report is accepted until the broker has 2 replicas."
            ),
        )
        with pytest.raises(BrokerUnavailableError):
            queue.submit(SALES)
