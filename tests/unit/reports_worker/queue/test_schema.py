"""The number of the schema, and a migration of a test's own that runs online and goes on where another ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import pytest
from redis import Redis

from reports_worker import ReportQueue, Status, Submission
from reports_worker.broker import keys
from reports_worker.queue.schema import FIRST, MIGRATIONS, Migration, Schema, find_newest
from reports_worker.worker.reconciler import Reconciler

PAGE = 3
INDEX = "test:by-requester:"


class DiesError(Exception):
    """Stands for the death of a worker in its migration."""


def index_requesters(connection: Redis, ids: Sequence[str]) -> None:
    """Write an index that the first schema does not have."""
    for task_id in ids:
        requester = cast(bytes, connection.hget(keys.job(task_id), "requester"))
        connection.sadd(INDEX + requester.decode(), task_id)


INDEXED = Migration(2, index_requesters)


def find_by_requester(connection: Redis, queue: ReportQueue, schema: Schema, requester: str) -> set[str]:
    """Read as a version does that knows the index, and must not miss a report before the index is complete."""
    if schema.has_reached(INDEXED.number):
        return {task_id.decode() for task_id in cast(set[bytes], connection.smembers(INDEX + requester))}
    return {report.task_id for report in queue.list().reports if report.requester == requester}


class Changes:
    """Changes reports, and dies where a test says so."""

    def __init__(self, *, dies_after: int = 1000) -> None:
        self.pages: list[list[str]] = []
        self._dies_after = dies_after

    def __call__(self, connection: Redis, ids: Sequence[str]) -> None:
        if len(self.pages) == self._dies_after:
            raise DiesError
        self.pages.append(list(ids))
        index_requesters(connection, ids)


@pytest.fixture
def ids(connection: Redis, queue: ReportQueue) -> list[str]:
    """Reports of the first version, which wrote no number; the oldest first."""
    found = [queue.submit(Submission("Quarter", "sales", requester="ann")) for _ in range(7)]
    connection.delete(keys.SCHEMA)
    return found


def read_number(connection: Redis) -> int:
    return int(cast(bytes, connection.hget(keys.SCHEMA, "number")))


def free(connection: Redis) -> None:
    """Let the time pass in which all workers together migrate once."""
    connection.delete(keys.MIGRATING)


def test_numbers_of_migrations_rise_by_one() -> None:
    assert [one.number for one in MIGRATIONS] == list(range(FIRST + 1, FIRST + 1 + len(MIGRATIONS)))


def test_the_first_report_of_all_says_which_schema_the_data_are_of(
    connection: Redis, queue: ReportQueue
) -> None:
    queue.submit(Submission("Quarter", "sales"))

    assert read_number(connection) == find_newest(MIGRATIONS)


@pytest.mark.usefixtures("ids")
def test_a_submit_beside_older_reports_says_nothing_of_them(connection: Redis, queue: ReportQueue) -> None:
    queue.submit(Submission("Quarter", "sales"))

    assert not connection.exists(keys.SCHEMA)
    assert Schema(connection).has_reached(FIRST)
    assert not Schema(connection).has_reached(FIRST + 1)


@pytest.mark.usefixtures("ids")
def test_data_without_a_number_are_of_the_first_schema_and_get_it(connection: Redis) -> None:
    assert Schema(connection).migrate()

    assert read_number(connection) == FIRST


def test_a_migration_changes_every_report_newest_first_and_then_says_so(
    connection: Redis, ids: list[str]
) -> None:
    changes = Changes()
    schema = Schema(connection, [Migration(2, changes)], page=PAGE)

    assert schema.migrate(seconds=60)

    assert changes.pages == [ids[:3:-1], ids[3:0:-1], ids[:1]]
    assert connection.hgetall(keys.SCHEMA) == {b"number": b"2", b"cursor": b""}


def test_readers_use_the_old_path_until_the_migration_is_complete(
    connection: Redis, queue: ReportQueue, ids: list[str]
) -> None:
    schema = Schema(connection, [Migration(2, Changes(dies_after=2))], page=PAGE)

    with pytest.raises(DiesError):
        schema.migrate(seconds=60)
    assert connection.scard(INDEX + "ann") == 6
    assert find_by_requester(connection, queue, schema, "ann") == set(ids)

    free(connection)
    Schema(connection, [INDEXED], page=PAGE).migrate(seconds=60)
    assert find_by_requester(connection, queue, schema, "ann") == set(ids)
    assert schema.has_reached(2)


def test_another_worker_goes_on_where_one_ended(connection: Redis, ids: list[str]) -> None:
    with pytest.raises(DiesError):
        Schema(connection, [Migration(2, Changes(dies_after=1))], page=PAGE).migrate(seconds=60)
    second = Changes()

    assert not Schema(connection, [Migration(2, second)], page=PAGE).migrate(seconds=60)
    free(connection)
    assert Schema(connection, [Migration(2, second)], page=PAGE).migrate(seconds=60)

    assert second.pages == [ids[3:0:-1], ids[:1]]


def test_a_slice_ends_when_its_time_is_up(connection: Redis, ids: list[str]) -> None:
    changes = Changes()
    schema = Schema(connection, [Migration(2, changes)], page=PAGE)

    assert not schema.migrate(seconds=0)
    assert changes.pages == []
    assert read_number(connection) == FIRST
    free(connection)
    assert schema.migrate(seconds=60)
    assert sum(map(len, changes.pages)) == len(ids)


def test_workers_that_change_the_same_page_take_no_step_twice_and_none_back(
    connection: Redis, ids: list[str]
) -> None:
    other = Schema(connection, [INDEXED], page=PAGE)

    def overtaken(connection: Redis, some: Sequence[str]) -> None:
        # The other worker ends the whole migration while this one changes its page.
        free(connection)
        other.migrate(seconds=60)
        index_requesters(connection, some)

    assert Schema(connection, [Migration(2, overtaken)], page=PAGE).migrate(seconds=60)

    assert connection.hgetall(keys.SCHEMA) == {b"number": b"2", b"cursor": b""}
    assert connection.scard(INDEX + "ann") == len(ids)


def test_migrations_run_one_after_the_other(connection: Redis, ids: list[str]) -> None:
    order: list[int] = []

    def note(number: int) -> Migration:
        return Migration(number, lambda _connection, _ids: order.append(number))

    assert Schema(connection, [note(2), note(3)]).migrate(seconds=60)

    assert len(ids) == 7
    assert (order, read_number(connection)) == ([2, 3], 3)


def test_reports_of_a_newer_schema_are_read_and_the_number_is_left(
    connection: Redis, queue: ReportQueue, ids: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    connection.hset(keys.SCHEMA, mapping={"number": 99, "cursor": "x", "newer": "y"})
    connection.hset(keys.job(ids[0]), "newer", "z")
    schema = Schema(connection, [INDEXED])

    with caplog.at_level(logging.INFO):
        assert schema.migrate()
        assert schema.migrate()
    queue.submit(Submission("Quarter", "sales"))

    assert [report.status for report in queue.list().reports] == [Status.PENDING] * 8
    assert connection.hgetall(keys.SCHEMA) == {b"number": b"99", b"cursor": b"x", b"newer": b"y"}
    assert caplog.messages == ["the reports in Redis have schema 99, and this version knows schema 2"]


@pytest.mark.parametrize("text", [b"\xff", b"", b"-1", b"9" * 400, "²".encode()])
def test_a_number_that_is_none_leaves_out_no_migration(
    connection: Redis, ids: list[str], text: bytes
) -> None:
    connection.hset(keys.SCHEMA, "number", text)

    assert Schema(connection, [INDEXED]).migrate(seconds=60)

    assert connection.scard(INDEX + "ann") == len(ids)
    assert read_number(connection) == 2


def test_the_reconciler_migrates_past_foreign_entries(connection: Redis, ids: list[str]) -> None:
    connection.zadd(keys.REGISTRY, {b"\xff\xfe": 0, b"": 0})

    Reconciler(connection, retention=timedelta(days=30), migrations=[INDEXED]).thread.take_step()

    assert read_number(connection) == 2
    assert connection.scard(INDEX + "ann") == len(ids)


def test_a_migration_that_fails_keeps_the_reconciler_from_no_repair(
    connection: Redis, ids: list[str]
) -> None:
    failing = Migration(2, Changes(dies_after=0))
    reconciler = Reconciler(connection, retention=timedelta(days=30), migrations=[failing])
    connection.delete(keys.QUEUED)

    for _ in range(2):
        free(connection)
        reconciler.thread.take_step()

    assert connection.llen(keys.QUEUED) == len(ids)
    assert read_number(connection) == FIRST
