"""Which files stay and which go: those of the execution that published, and of the one that runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from redis import Redis

from reports_worker import ReportQueue, Submission, keys
from reports_worker.artifacts import StorageError, make_scratch
from reports_worker.artifacts.cleaning import AGAIN_AFTER_SECONDS, Cleaner
from reports_worker.artifacts.folder_store import FolderStore
from reports_worker.leases import Execution, Leases
from reports_worker.model import Completed, Failed, Reason, Receipt
from reports_worker.task_ids import new_task_id

RETENTION = timedelta(days=30)
RUN = timedelta(hours=1)
RECEIPT = Receipt("a.csv", "csv", "text/csv", 1, "0" * 64, 0.1)
DONE = Completed({"total": 7}, artifacts=[RECEIPT])


class StoreThatIsAway(FolderStore):
    def find_executions(self, task_id: str) -> NoReturn:
        raise StorageError(f"away, with {task_id}")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "artifacts")


@pytest.fixture
def cleaner(connection: Redis, store: FolderStore) -> Cleaner:
    return Cleaner(connection, store, retention=RETENTION)


Keep = Callable[[str, str], None]


@pytest.fixture
def keep(store: FolderStore, tmp_path: Path) -> Keep:
    """Leave a file of an execution."""

    def put(task_id: str, execution: str) -> None:
        ready = tmp_path / "ready"
        ready.write_text("x")
        store.put(task_id, execution, "a.csv", ready)

    return put


def begin(connection: Redis, leases: Leases, task_id: str, execution: str) -> Execution:
    connection.lrem(keys.QUEUED, 0, task_id)
    begun = Execution(task_id, execution)
    assert leases.start(begun, worker="w", expires=RUN)
    return begun


def test_what_is_published_stays_and_what_earlier_attempts_left_goes(
    connection: Redis, leases: Leases, task_id: str, store: FolderStore, cleaner: Cleaner, keep: Keep
) -> None:
    first = begin(connection, leases, task_id, "first")
    keep(task_id, "first")
    leases.put_back(first, spent=True)
    second = begin(connection, leases, task_id, "second")
    keep(task_id, "second")
    assert leases.publish(second, DONE)

    cleaner.clean()

    assert store.find_executions(task_id) == ["second"]
    assert connection.zcard(keys.FILES) == 0


def test_what_runs_stays(
    connection: Redis, leases: Leases, task_id: str, store: FolderStore, cleaner: Cleaner, keep: Keep
) -> None:
    leases.put_back(begin(connection, leases, task_id, "first"), spent=True)
    begin(connection, leases, task_id, "second")
    keep(task_id, "first")
    keep(task_id, "second")

    cleaner.clean()

    assert store.find_executions(task_id) == ["second"]


@pytest.mark.parametrize("end", ["failed", "cancelled", "deleted"])
def test_files_go_with_what_did_not_complete(
    connection: Redis,
    queue: ReportQueue,
    leases: Leases,
    task_id: str,
    store: FolderStore,
    cleaner: Cleaner,
    keep: Keep,
    end: str,
) -> None:
    execution = begin(connection, leases, task_id, "first")
    keep(task_id, "first")
    if end == "cancelled":
        queue.cancel(task_id)
    if end == "deleted":
        queue.delete(task_id)
    leases.publish(execution, Failed(Reason.ERROR, "It broke.") if end == "failed" else DONE)

    cleaner.clean()

    assert store.find_executions(task_id) == []
    assert not (store.scratch_root.parent / task_id).exists()
    assert connection.zcard(keys.FILES) == 0


def test_a_deleted_report_that_still_runs_is_looked_at_until_it_does_not(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str, store: FolderStore, keep: Keep
) -> None:
    execution = begin(connection, leases, task_id, "first")
    queue.delete(task_id)
    cleaner = Cleaner(connection, store, retention=RETENTION)
    cleaner.clean()
    keep(task_id, "first")

    assert connection.zscore(keys.FILES, task_id) is not None
    connection.delete(keys.lease(execution.task_id))
    connection.zadd(keys.FILES, {task_id: 0})
    cleaner.clean()

    assert store.find_executions(task_id) == []


def test_expired_reports_take_their_files_along(
    connection: Redis, task_id: str, store: FolderStore, cleaner: Cleaner, keep: Keep
) -> None:
    leases = Leases(connection, retention=timedelta(0))
    execution = begin(connection, leases, task_id, "first")
    keep(task_id, "first")
    leases.publish(execution, DONE)
    assert dict(leases.sweep()) == {task_id: "expired"}

    cleaner.clean()

    assert store.find_executions(task_id) == []


def test_a_failed_report_that_is_made_again_keeps_no_files_of_before(
    connection: Redis, queue: ReportQueue, leases: Leases, task_id: str
) -> None:
    leases.publish(begin(connection, leases, task_id, "first"), Failed(Reason.ERROR, "It broke."))
    connection.delete(keys.FILES)

    queue.retry(task_id)

    report = queue.find(task_id)
    assert report is not None
    assert report.artifacts == ()
    assert connection.zscore(keys.FILES, task_id) is not None


def test_nothing_that_is_published_meanwhile_is_taken(
    connection: Redis, leases: Leases, task_id: str, tmp_path: Path, keep: Keep
) -> None:
    leases.put_back(begin(connection, leases, task_id, "first"), spent=True)
    keep(task_id, "first")

    class StoreMeanwhile(FolderStore):
        """Between the question of what there is and the next, another worker makes the whole report."""

        def find_executions(self, task_id: str) -> list[str]:
            found = super().find_executions(task_id)
            second = begin(connection, leases, task_id, "second")
            keep(task_id, "second")
            assert leases.publish(second, DONE)
            return found

    store = StoreMeanwhile(tmp_path / "artifacts")

    Cleaner(connection, store, retention=RETENTION).clean()

    assert FolderStore(tmp_path / "artifacts").find_executions(task_id) == ["second"]


def test_while_the_store_is_away_nothing_is_forgotten(
    connection: Redis, queue: ReportQueue, task_id: str, store: FolderStore, keep: Keep, tmp_path: Path
) -> None:
    keep(task_id, "first")
    queue.delete(task_id)
    away = Cleaner(connection, StoreThatIsAway(tmp_path / "artifacts"), retention=RETENTION)

    away.clean()

    score = connection.zscore(keys.FILES, task_id)
    assert score is not None
    assert float(score) == pytest.approx(datetime.now(UTC).timestamp() + AGAIN_AFTER_SECONDS, abs=60)
    connection.zadd(keys.FILES, {task_id: 0})
    Cleaner(connection, store, retention=RETENTION).clean()
    assert store.find_executions(task_id) == []


def test_what_is_noted_again_while_it_is_looked_at_is_looked_at_again(
    connection: Redis, queue: ReportQueue, task_id: str, tmp_path: Path
) -> None:
    class StoreMeanwhile(FolderStore):
        def find_executions(self, task_id: str) -> list[str]:
            connection.zadd(keys.FILES, {task_id: 1})
            return []

    queue.delete(task_id)

    Cleaner(connection, StoreMeanwhile(tmp_path), retention=RETENTION).clean()

    assert connection.zscore(keys.FILES, task_id) == 1


# -- scratch


def age(path: Path, by: timedelta) -> None:
    when = (datetime.now(UTC) - by).timestamp()
    os.utime(path, (when, when))


def test_only_scratch_of_executions_that_are_no_more_goes(
    connection: Redis, leases: Leases, task_id: str, store: FolderStore, cleaner: Cleaner
) -> None:
    begin(connection, leases, task_id, "runs")
    runs = make_scratch(store, task_id, "runs")
    dead = make_scratch(store, task_id, "dead")
    young = make_scratch(store, new_task_id(), "young")
    (dead / "half").write_text("half a file")
    foreign = store.scratch_root / "somebody's"
    foreign.mkdir()
    for path in (runs, dead, foreign):
        age(path, timedelta(minutes=1))

    cleaner.clean_scratch(datetime.now(UTC))

    assert [path.exists() for path in (runs, dead, young, foreign)] == [True, False, True, True]


def test_a_scratch_folder_that_others_made_is_left_alone_and_not_used(
    connection: Redis, task_id: str, tmp_path: Path
) -> None:
    victim = tmp_path / "victim" / f"{task_id}.x"
    victim.mkdir(parents=True)
    age(victim, timedelta(minutes=1))
    store = FolderStore(tmp_path / "artifacts")
    store.scratch_root.parent.mkdir()
    store.scratch_root.symlink_to(victim.parent)

    Cleaner(connection, store, retention=RETENTION).clean_scratch(datetime.now(UTC))

    assert victim.exists()
    with pytest.raises(StorageError, match="belongs to another user"):
        make_scratch(store, task_id, "mine")


# -- all files against all reports


def put_many(connection: Redis, queue: ReportQueue, leases: Leases, keep: Keep, count: int) -> None:
    for _ in range(count):
        task_id = queue.submit(Submission("Quarter", "sales"))
        keep(task_id, "x")
        assert leases.publish(begin(connection, leases, task_id, "x"), DONE)


def test_files_that_belong_to_nothing_go_once_they_are_old(
    connection: Redis, queue: ReportQueue, leases: Leases, store: FolderStore, cleaner: Cleaner, keep: Keep
) -> None:
    put_many(connection, queue, leases, keep, 3)
    old, young = new_task_id(), new_task_id()
    keep(old, "x")
    keep(young, "x")
    age(store.scratch_root.parent / old / "x", timedelta(days=2))

    cleaner.compare(datetime.now(UTC))

    assert store.find_executions(old) == []
    assert store.find_executions(young) == ["x"]
    assert len(list(store.find_all())) == 4


def test_a_lost_broker_takes_no_files_along(
    connection: Redis, queue: ReportQueue, leases: Leases, store: FolderStore, cleaner: Cleaner, keep: Keep
) -> None:
    put_many(connection, queue, leases, keep, 3)
    forgotten = new_task_id()
    keep(forgotten, "x")
    for stay in store.find_all():
        age(store.scratch_root.parent / stay.task_id / "x", timedelta(days=2))
    age(store.scratch_root.parent / forgotten / "x", RETENTION + timedelta(days=2))
    connection.flushall()

    cleaner.compare(datetime.now(UTC))
    cleaner.clean()

    assert len(list(store.find_all())) == 3
    assert store.find_executions(forgotten) == []


def test_one_worker_an_hour_compares(
    connection: Redis, store: FolderStore, cleaner: Cleaner, keep: Keep
) -> None:
    cleaner.compare(datetime.now(UTC))
    forgotten = new_task_id()
    keep(forgotten, "x")
    age(store.scratch_root.parent / forgotten / "x", RETENTION + timedelta(days=2))

    Cleaner(connection, store, retention=RETENTION).compare(datetime.now(UTC))

    assert store.find_executions(forgotten) == ["x"]
