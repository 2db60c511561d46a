"""A folder and a bucket keep the same promises, also when S3 fails."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path, PosixPath
from typing import NoReturn

import pytest

from harness.proxies.losing import LimitedProxy
from reports_worker.artifacts import ArtifactGoneError, StorageError, Store
from reports_worker.artifacts.filesystem import FolderStore
from reports_worker.domain.task_id import new_task_id
from tests.integration.buckets import CREDENTIALS, Moto, serve_buckets

# More than two of the smallest parts: a smaller file goes in one piece.
LARGE = 11 * 2**20
_NUMBERS = count()


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with serve_buckets(tmp_path_factory.mktemp("moto")) as moto:
            yield moto


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "artifacts")
    moto: Moto = request.getfixturevalue("moto")
    return moto.store()


@pytest.fixture
def task_id() -> str:
    return new_task_id()


def write(folder: Path, data: bytes) -> Path:
    path = folder / f"ready-{next(_NUMBERS)}"
    path.write_bytes(data)
    return path


def read(store: Store, task_id: str, name: str = "orders.csv", **part: int) -> bytes:
    file = store.open(task_id, "e1", name, **part)
    try:
        return b"".join(file.chunks)
    finally:
        file.close()


def test_a_file_is_stored_completely_and_read_in_parts(store: Store, tmp_path: Path, task_id: str) -> None:
    data = os.urandom(600_000)

    store.put(task_id, "e1", "orders.csv", write(tmp_path, data))

    assert store.measure(task_id, "e1", "orders.csv") == len(data)
    assert read(store, task_id) == data
    assert read(store, task_id, start=500_000) == data[500_000:]
    assert read(store, task_id, start=10, end=300_010) == data[10:300_010]
    part = store.open(task_id, "e1", "orders.csv", start=5, end=6)
    part.close()
    assert part.size == len(data)


def test_an_empty_file_is_stored(store: Store, tmp_path: Path, task_id: str) -> None:
    store.put(task_id, "e1", "orders.csv", write(tmp_path, b""))

    assert read(store, task_id) == b""


def test_executions_do_not_affect_each_other(store: Store, tmp_path: Path, task_id: str) -> None:
    for execution in ("e1", "e2", "e3"):
        store.put(task_id, execution, "orders.csv", write(tmp_path, execution.encode()))

    store.remove(task_id, ["e2", "e3", "never"])

    assert store.find_executions(task_id) == ["e1"]
    assert read(store, task_id) == b"e1"


def test_a_removed_file_is_gone_and_a_second_removal_is_no_error(
    store: Store, tmp_path: Path, task_id: str
) -> None:
    store.put(task_id, "e1", "orders.csv", write(tmp_path, b"x"))

    store.remove(task_id, ["e1"])
    store.remove(task_id, ["e1"])

    assert store.find_executions(task_id) == []
    with pytest.raises(ArtifactGoneError, match="was removed from the file store"):
        store.open(task_id, "e1", "orders.csv")
    with pytest.raises(ArtifactGoneError):
        store.measure(task_id, "e1", "orders.csv")


def test_all_executions_with_files_are_found(store: Store, tmp_path: Path, task_id: str) -> None:
    for execution in ("e1", "e2"):
        for name in ("a.csv", "b.csv"):
            store.put(task_id, execution, name, write(tmp_path, b"x"))

    found = [stay for stay in store.find_all() if stay.task_id == task_id]

    assert sorted(stay.execution for stay in found) == ["e1", "e2"]
    assert all(abs(datetime.now(UTC) - stay.modified) < timedelta(minutes=1) for stay in found)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "a\0b", "x" * 200, "é", "a\n"])
def test_a_name_that_leads_elsewhere_is_refused(
    store: Store, tmp_path: Path, task_id: str, name: str
) -> None:
    ready = write(tmp_path, b"x")

    for names in ((task_id, "e1", name), (task_id, name, "a.csv"), (name, "e1", "a.csv")):
        with pytest.raises(ValueError, match="cannot be part of the name"):
            store.put(*names, ready)
        with pytest.raises(ValueError, match="cannot be part of the name"):
            store.open(*names)


# -- a folder


def test_a_folder_is_private_and_holds_no_partial_file(tmp_path: Path, task_id: str) -> None:
    store = FolderStore(tmp_path / "artifacts")

    store.put(task_id, "e1", "orders.csv", write(tmp_path, b"x"))

    made = [path for path in (tmp_path / "artifacts").rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "artifacts", *made)} == {0o700}
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["orders.csv"]


class PathElsewhere(PosixPath):
    """A file in another file system, whose copy fails where it is said so."""

    def rename(self, _target: object) -> NoReturn:
        raise OSError(errno.EXDEV, "another file system")


def test_a_file_of_another_file_system_is_copied_completely_or_not_at_all(
    tmp_path: Path, task_id: str
) -> None:
    store = FolderStore(tmp_path / "artifacts")

    store.put(task_id, "e1", "orders.csv", PathElsewhere(write(tmp_path, b"x" * 100)))
    with pytest.raises(StorageError):
        store.put(task_id, "e1", "users.csv", PathElsewhere(tmp_path / "missing"))

    assert [path.name for path in (tmp_path / "artifacts").rglob("*") if path.is_file()] == ["orders.csv"]


def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path: Path, task_id: str) -> None:
    root = tmp_path / "artifacts"
    store = FolderStore(root)
    store.put(task_id, "e1", "orders.csv", write(tmp_path, b"x"))
    (tmp_path / "elsewhere" / "e1").mkdir(parents=True)
    (tmp_path / "elsewhere" / "e1" / "a.csv").write_text("secret")
    other = new_task_id()
    (root / other).symlink_to(tmp_path / "elsewhere")
    (root / task_id / "e1" / "b.csv").symlink_to(tmp_path / "elsewhere" / "e1" / "a.csv")
    os.mkfifo(root / task_id / "e1" / "c.csv")

    for names in ((other, "e1", "a.csv"), (task_id, "e1", "b.csv"), (task_id, "e1", "c.csv")):
        with pytest.raises(ArtifactGoneError):
            store.open(*names)
    with pytest.raises(StorageError):
        store.put(other, "e1", "b.csv", write(tmp_path, b"x"))
    assert store.find_executions(other) == []
    store.remove(other, ["e1"])
    assert (tmp_path / "elsewhere" / "e1" / "a.csv").read_text() == "secret"


def test_a_folder_that_is_unavailable_is_reported_without_its_path(tmp_path: Path, task_id: str) -> None:
    store = FolderStore(tmp_path / "artifacts")
    (tmp_path / "artifacts").write_text("a file where the folder should be")

    for ask in (
        lambda: store.open(task_id, "e1", "a.csv"),
        lambda: store.put(task_id, "e1", "a.csv", write(tmp_path, b"x")),
    ):
        with pytest.raises(StorageError, match="is not available") as caught:
            ask()
        assert str(tmp_path) not in str(caught.value)


def test_a_file_that_is_truncated_while_it_is_read_is_an_error(tmp_path: Path, task_id: str) -> None:
    store = FolderStore(tmp_path / "artifacts")
    store.put(task_id, "e1", "orders.csv", write(tmp_path, bytes(2**20)))
    file = store.open(task_id, "e1", "orders.csv")
    next(file.chunks)

    os.truncate(tmp_path / "artifacts" / task_id / "e1" / "orders.csv", 10)

    with pytest.raises(ArtifactGoneError):
        list(file.chunks)
    file.close()


# -- a bucket


def test_a_large_file_goes_in_parts(moto: Moto, tmp_path: Path, task_id: str) -> None:
    data = os.urandom(LARGE)

    moto.store().put(task_id, "e1", "orders.csv", write(tmp_path, data))

    kept = moto.call("head_object", Key=f"some/prefix/{task_id}/e1/orders.csv")
    assert kept["ETag"].endswith('-3"')
    assert read(moto.store(), task_id) == data


def test_an_upload_that_is_reset_once_is_tried_again(moto: Moto, tmp_path: Path, task_id: str) -> None:
    pipe = LimitedProxy(moto.port, most_up=6 * 2**20)
    data = os.urandom(LARGE)

    moto.store(port=pipe.port).put(task_id, "e1", "orders.csv", write(tmp_path, data))
    pipe.close()

    assert read(moto.store(), task_id) == data


def test_an_upload_that_is_always_reset_leaves_nothing(moto: Moto, tmp_path: Path, task_id: str) -> None:
    pipe = LimitedProxy(moto.port, most_up=3 * 2**20)

    with pytest.raises(StorageError, match="is not available"):
        moto.store(port=pipe.port).put(task_id, "e1", "orders.csv", write(tmp_path, bytes(LARGE)))
    pipe.close()

    assert moto.store().find_executions(task_id) == []
    assert "Uploads" not in moto.call("list_multipart_uploads")


def test_parts_of_a_killed_worker_are_found_and_removed(moto: Moto, task_id: str) -> None:
    key = f"some/prefix/{task_id}/e1/orders.csv"
    upload = moto.call("create_multipart_upload", Key=key)["UploadId"]
    moto.call("upload_part", Key=key, UploadId=upload, PartNumber=1, Body=b"half")

    assert moto.store().find_executions(task_id) == ["e1"]
    moto.store().remove(task_id, ["e1"])

    assert moto.store().find_executions(task_id) == []
    assert "Uploads" not in moto.call("list_multipart_uploads")


def test_a_download_that_is_aborted_is_an_error(moto: Moto, tmp_path: Path, task_id: str) -> None:
    moto.store().put(task_id, "e1", "orders.csv", write(tmp_path, bytes(4 * 2**20)))
    pipe = LimitedProxy(moto.port, most_down=2**20)

    with pytest.raises(StorageError) as caught:
        read(moto.store(port=pipe.port), task_id)
    pipe.close()

    assert str(pipe.port) not in str(caught.value)


def test_a_store_that_hangs_fails_within_its_time_limit(moto: Moto, task_id: str) -> None:
    pipe = LimitedProxy(moto.port, most_down=0, is_silent=True)
    begin = time.monotonic()

    with pytest.raises(StorageError, match="is not available"):
        moto.store(port=pipe.port, answer_seconds=0.5).measure(task_id, "e1", "orders.csv")
    pipe.close()

    assert time.monotonic() - begin < 10


def test_refused_access_and_a_missing_bucket_are_not_a_missing_file(
    moto: Moto, tmp_path: Path, task_id: str
) -> None:
    with pytest.raises(StorageError, match="is not available"):
        moto.store(bucket="no-such-bucket").open(task_id, "e1", "orders.csv")
    moto.require_keys(is_required=True)
    try:
        with pytest.raises(StorageError, match="refuses access"):
            moto.store().open(task_id, "e1", "orders.csv")
        with pytest.raises(StorageError, match="refuses access"):
            moto.store().put(task_id, "e1", "orders.csv", write(tmp_path, b"x"))
    finally:
        moto.require_keys(is_required=False)


def test_a_store_that_was_used_works_on_in_a_forked_process(moto: Moto, tmp_path: Path, task_id: str) -> None:
    store = moto.store()
    store.put(task_id, "e1", "orders.csv", write(tmp_path, b"x"))

    pid = os.fork()
    if pid == 0:
        os._exit(0 if read(store, task_id) == b"x" else 1)

    assert os.waitpid(pid, 0)[1] == 0
