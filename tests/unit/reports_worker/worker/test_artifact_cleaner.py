"""The files that are retained: those of the execution that published, and of the one that runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from redis import Redis

from reports_worker import ReportQueue, Submission
from reports_worker.artifacts import StorageError, make_scratch
from reports_worker.artifacts.filesystem import FolderStore
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Failed, Reason, Receipt
from reports_worker.domain.task_id import new_task_id
from reports_worker.queue.leases import Execution, Leases
from reports_worker.worker.artifact_cleaner import RETRY_AFTER_SECONDS, ArtifactCleaner

RETENTION = timedelta(days=30)
RUN = timedelta(hours=1)
RECEIPT = Receipt("csv", "text/csv", 0.1, name="a.csv", size=1, sha256="0" * 64)
DONE = Completed({"total": 7}, artifacts=[RECEIPT])


class StoreThatIsAway(FolderStore):
    def find_executions(self, task_id: str) -> NoReturn:
        raise StorageError(f"away, with {task_id}")


@dataclass(frozen=True)
class Scene:
    """A broker, a store, and its cleaner."""

    connection: Redis
    queue: ReportQueue
    leases: Leases
    store: FolderStore

    @property
    def cleaner(self) -> ArtifactCleaner:
        return ArtifactCleaner(self.connection, self.store, retention=RETENTION)

    @property
    def root(self) -> Path:
        return self.store.scratch_root.parent

    def begin(self, task_id: str, execution: str) -> Execution:
        self.connection.lrem(keys.QUEUED, 0, task_id)
        begun = Execution(task_id, execution)
        assert self.leases.start(begun, worker="w", expires=RUN)
        return begun

    def keep(self, task_id: str, execution: str) -> None:
        """Store a file of an execution."""
        self.root.mkdir(exist_ok=True)
        (ready := self.root / "ready").write_text("x")
        self.store.put(task_id, execution, "a.csv", ready)

    def clean(self) -> None:
        self.cleaner.clean()


@pytest.fixture
def scene(connection: Redis, queue: ReportQueue, leases: Leases, tmp_path: Path) -> Scene:
    return Scene(connection, queue, leases, FolderStore(tmp_path / "artifacts"))


def test_published_files_stay_and_files_of_earlier_executions_are_removed(scene: Scene, task_id: str) -> None:
    first = scene.begin(task_id, "first")
    scene.keep(task_id, "first")
    scene.leases.requeue(first, spent=True)
    second = scene.begin(task_id, "second")
    scene.keep(task_id, "second")
    assert scene.leases.publish(second, DONE)

    scene.cleaner.clean()

    assert scene.store.find_executions(task_id) == ["second"]
    assert scene.connection.zcard(keys.FILES) == 0


def test_files_of_the_running_execution_stay(scene: Scene, task_id: str) -> None:
    scene.leases.requeue(scene.begin(task_id, "first"), spent=True)
    scene.begin(task_id, "second")
    scene.keep(task_id, "first")
    scene.keep(task_id, "second")

    scene.cleaner.clean()

    assert scene.store.find_executions(task_id) == ["second"]


@pytest.mark.parametrize("end", ["failed", "cancelled", "deleted"])
def test_files_of_an_execution_that_did_not_complete_are_removed(
    scene: Scene, task_id: str, end: str
) -> None:
    execution = scene.begin(task_id, "first")
    scene.keep(task_id, "first")
    if end == "cancelled":
        scene.queue.cancel(task_id)
    if end == "deleted":
        scene.queue.delete(task_id)
    scene.leases.publish(execution, Failed(Reason.ERROR, "It broke.") if end == "failed" else DONE)

    scene.cleaner.clean()

    assert scene.store.find_executions(task_id) == []
    assert not (scene.root / task_id).exists()
    assert scene.connection.zcard(keys.FILES) == 0


def test_a_deleted_report_that_still_runs_is_checked_until_it_has_ended(scene: Scene, task_id: str) -> None:
    execution = scene.begin(task_id, "first")
    scene.queue.delete(task_id)
    scene.clean()
    scene.keep(task_id, "first")

    assert scene.connection.zscore(keys.FILES, task_id) is not None
    scene.connection.delete(keys.lease(execution.task_id))
    scene.connection.zadd(keys.FILES, {task_id: 0})
    scene.cleaner.clean()

    assert scene.store.find_executions(task_id) == []


def test_the_files_of_expired_reports_are_removed(scene: Scene, task_id: str) -> None:
    execution = scene.begin(task_id, "first")
    scene.keep(task_id, "first")
    scene.leases.publish(execution, DONE)
    scene.connection.zadd(keys.EXPIRY, {task_id: 0})
    assert dict(scene.leases.sweep()) == {task_id: "expired"}

    scene.clean()

    assert scene.store.find_executions(task_id) == []


def test_a_failed_report_that_is_run_again_keeps_no_files_of_its_failed_execution(
    scene: Scene, task_id: str
) -> None:
    scene.leases.publish(scene.begin(task_id, "first"), Failed(Reason.ERROR, "It broke."))
    scene.connection.delete(keys.FILES)

    scene.queue.retry(task_id)

    report = scene.queue.find(task_id)
    assert report is not None
    assert report.artifacts == ()
    assert scene.connection.zscore(keys.FILES, task_id) is not None


def test_files_that_are_published_during_the_cleaning_stay(
    scene: Scene, task_id: str, tmp_path: Path
) -> None:
    scene.leases.requeue(scene.begin(task_id, "first"), spent=True)
    scene.keep(task_id, "first")

    class StoreMeanwhile(FolderStore):
        """Have another worker complete the report between the list of executions and the next query."""

        def find_executions(self, task_id: str) -> list[str]:
            found = super().find_executions(task_id)
            second = scene.begin(task_id, "second")
            scene.keep(task_id, "second")
            assert scene.leases.publish(second, DONE)
            return found

    store = StoreMeanwhile(tmp_path / "artifacts")

    ArtifactCleaner(scene.connection, store, retention=RETENTION).clean()

    assert FolderStore(tmp_path / "artifacts").find_executions(task_id) == ["second"]


def test_while_the_store_is_unavailable_no_report_is_forgotten(
    scene: Scene, task_id: str, tmp_path: Path
) -> None:
    scene.keep(task_id, "first")
    scene.queue.delete(task_id)
    away = ArtifactCleaner(scene.connection, StoreThatIsAway(tmp_path / "artifacts"), retention=RETENTION)

    away.clean()

    score = scene.connection.zscore(keys.FILES, task_id)
    assert score is not None
    assert float(score) == pytest.approx(datetime.now(UTC).timestamp() + RETRY_AFTER_SECONDS, abs=60)
    scene.connection.zadd(keys.FILES, {task_id: 0})
    scene.cleaner.clean()
    assert scene.store.find_executions(task_id) == []


def test_a_report_that_is_noted_again_during_the_cleaning_is_checked_again(
    scene: Scene, task_id: str, tmp_path: Path
) -> None:
    class StoreMeanwhile(FolderStore):
        def find_executions(self, task_id: str) -> list[str]:
            scene.connection.zadd(keys.FILES, {task_id: 1})
            return []

    scene.queue.delete(task_id)

    ArtifactCleaner(scene.connection, StoreMeanwhile(tmp_path), retention=RETENTION).clean()

    assert scene.connection.zscore(keys.FILES, task_id) == 1


# -- scratch


def age(path: Path, by: timedelta) -> None:
    when = (datetime.now(UTC) - by).timestamp()
    os.utime(path, (when, when))


def test_only_scratch_folders_of_executions_that_have_ended_are_removed(scene: Scene, task_id: str) -> None:
    scene.begin(task_id, "runs")
    runs = make_scratch(scene.store, task_id, "runs")
    dead = make_scratch(scene.store, task_id, "dead")
    young = make_scratch(scene.store, new_task_id(), "young")
    (dead / "half").write_text("half a file")
    foreign = scene.store.scratch_root / "somebody's"
    foreign.mkdir()
    for path in (runs, dead, foreign):
        age(path, timedelta(minutes=1))

    scene.cleaner.clean_scratch(datetime.now(UTC))

    assert [path.exists() for path in (runs, dead, young, foreign)] == [True, False, True, True]


def test_a_scratch_folder_that_another_user_can_write_is_not_used(
    scene: Scene, task_id: str, tmp_path: Path
) -> None:
    victim = tmp_path / "victim" / f"{task_id}.x"
    victim.mkdir(parents=True)
    age(victim, timedelta(minutes=1))
    scene.root.mkdir()
    scene.store.scratch_root.symlink_to(victim.parent)

    scene.cleaner.clean_scratch(datetime.now(UTC))

    assert victim.exists()
    with pytest.raises(StorageError, match="belongs to another user"):
        make_scratch(scene.store, task_id, "mine")


# -- all files against all reports


def put_many(scene: Scene, count: int) -> None:
    for _ in range(count):
        task_id = scene.queue.submit(Submission("Quarter", "sales"))
        scene.keep(task_id, "x")
        assert scene.leases.publish(scene.begin(task_id, "x"), DONE)


def test_files_that_belong_to_no_report_are_removed_once_they_are_old(scene: Scene) -> None:
    put_many(scene, 3)
    old, young = new_task_id(), new_task_id()
    scene.keep(old, "x")
    scene.keep(young, "x")
    age(scene.root / old / "x", timedelta(days=2))

    scene.cleaner.compare(datetime.now(UTC))

    assert scene.store.find_executions(old) == []
    assert scene.store.find_executions(young) == ["x"]
    assert len(list(scene.store.find_all())) == 4


def test_no_files_are_removed_after_the_broker_has_lost_its_data(scene: Scene) -> None:
    put_many(scene, 3)
    forgotten = new_task_id()
    scene.keep(forgotten, "x")
    for stay in scene.store.find_all():
        age(scene.root / stay.task_id / "x", timedelta(days=2))
    age(scene.root / forgotten / "x", RETENTION + timedelta(days=2))
    scene.connection.flushall()

    scene.cleaner.compare(datetime.now(UTC))
    scene.cleaner.clean()

    assert len(list(scene.store.find_all())) == 3
    assert scene.store.find_executions(forgotten) == []


def test_one_worker_an_hour_compares_all_files(scene: Scene) -> None:
    scene.cleaner.compare(datetime.now(UTC))
    forgotten = new_task_id()
    scene.keep(forgotten, "x")
    age(scene.root / forgotten / "x", RETENTION + timedelta(days=2))

    scene.cleaner.compare(datetime.now(UTC))

    assert scene.store.find_executions(forgotten) == ["x"]
