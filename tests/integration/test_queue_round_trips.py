"""What the queue costs the broker: a fixed number of round trips, however many reports there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Connection, ConnectionPool, Redis

from harness.broker import Broker
from reports_worker import BrokerAddress, ReportQueue, Submission, connect
from reports_worker.errors import UnconfirmedError
from reports_worker.queue.scripts import read_script

SALES = Submission("Quarter", "sales")


class CountedQueue(ReportQueue):
    """A queue that knows how often it sent something; a pipeline sends once."""

    def __init__(self, port: int, *, replicas: int = 0) -> None:
        sent: list[object] = []

        class CountingConnection(Connection):
            def send_packed_command(self, command: Any, check_health: bool = True) -> None:
                sent.append(command)
                super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

        pool = ConnectionPool(connection_class=CountingConnection, host="127.0.0.1", port=port)
        super().__init__(Redis(connection_pool=pool), timeout=timedelta(hours=1), replicas=replicas)
        self._sent = sent

    def take_count(self) -> int:
        count = len(self._sent)
        self._sent.clear()
        return count


@pytest.fixture
def queue(broker: Broker) -> Iterator[CountedQueue]:
    """A queue whose connection stands and whose scripts the broker knows."""
    queue = CountedQueue(broker.port)
    queue.find(queue.submit(SALES))
    queue.take_count()
    yield queue
    queue.connection.connection_pool.disconnect()


def read_commands(redis: Redis) -> dict[str, int]:
    """How often each command came since the last reset, ours excepted."""
    stats: dict[str, Any] = redis.info("commandstats")
    names = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()}
    return {name: calls for name, calls in names.items() if not name.startswith(("config", "info"))}


def test_a_submit_is_one_round_trip(queue: CountedQueue) -> None:
    queue.submit(SALES)

    assert queue.take_count() == 1


def test_a_submit_that_waits_for_replicas_is_one_round_trip(broker: Broker, redis: Redis) -> None:
    queue = CountedQueue(broker.port, replicas=1)
    queue.connection.script_load(read_script("submit"))
    queue.take_count()
    redis.config_resetstat()

    with pytest.raises(UnconfirmedError):
        queue.submit(SALES)

    assert queue.take_count() == 1
    assert read_commands(redis)["wait"] == 1
    queue.connection.connection_pool.disconnect()


def test_a_check_is_one_round_trip_and_now_and_then_asks_for_more(queue: CountedQueue, redis: Redis) -> None:
    redis.config_resetstat()

    for _ in range(3):
        queue.check()

    assert queue.take_count() == 3
    assert read_commands(redis) == {"get": 3}
    assert redis.info("commandstats")["cmdstat_info"]["calls"] == 2  # the other was ours


def test_a_status_is_one_round_trip(queue: CountedQueue) -> None:
    task_id = queue.submit(SALES)
    queue.take_count()

    queue.find(task_id)

    assert queue.take_count() == 1


def test_what_cannot_be_an_id_costs_nothing(queue: CountedQueue) -> None:
    queue.find("7")

    assert queue.take_count() == 0


@pytest.mark.parametrize("count", [1, 30, 600])
def test_a_page_is_two_round_trips_at_any_size(queue: CountedQueue, count: int) -> None:
    for _ in range(count):
        queue.submit(SALES)
    queue.take_count()

    page = queue.list(limit=500)

    assert queue.take_count() == 2
    assert len(page.reports) == min(500, count + 1)


def test_an_empty_list_is_one_round_trip(queue: CountedQueue) -> None:
    queue.connection.flushall()
    queue.take_count()

    queue.list()

    assert queue.take_count() == 1


def test_a_page_reads_no_more_of_the_registry_than_it_shows(queue: CountedQueue, redis: Redis) -> None:
    for _ in range(100):
        queue.submit(SALES)
    redis.config_resetstat()

    queue.list(limit=10)

    assert read_commands(redis) == {"zrevrangebylex": 1, "zcard": 1, "get": 1, "hmget": 10}


def test_a_new_connection_says_nothing_before_its_first_command(broker: Broker, redis: Redis) -> None:
    client = connect(BrokerAddress(broker.url))
    redis.config_resetstat()

    client.ping()
    client.close()

    assert read_commands(redis) == {"ping": 1}
    # An older server counts what it does not know only here.
    assert redis.info("errorstats") == {}


def test_a_broker_that_forgot_the_scripts_is_told_them_again(queue: CountedQueue, redis: Redis) -> None:
    redis.script_flush()

    queue.submit(SALES)

    assert queue.list().total == 2
