"""Files in a folder: `<folder>/<task id>/<execution>/<name>`."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from reports_worker.task_ids import is_task_id

from .errors import ArtifactGoneError, StorageError
from .stores import check_names

_SCRATCH = ".scratch"
_PRIVATE = 0o700
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class FolderStore:
    """Keeping a file is a rename: scratch folders lie in the same file system. Links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def scratch_root(self) -> Path:
        return self._root / _SCRATCH

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        check_names(task_id, execution, name)
        folder = self._root / task_id / execution
        part = folder / f".{name}.part"
        with _told():
            folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            try:
                path.rename(part)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                shutil.copyfile(path, part)
            _sync(part)
            part.rename(folder / name)
            _sync(folder)

    def open(self, task_id: str, execution: str, name: str) -> BinaryIO:
        check_names(task_id, execution, name)
        path = self._root / task_id / execution / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise self._explain(error) from error
        return os.fdopen(descriptor, "rb")

    def measure(self, task_id: str, execution: str, name: str) -> int:
        check_names(task_id, execution, name)
        try:
            found = (self._root / task_id / execution / name).lstat()
        except OSError as error:
            raise self._explain(error) from error
        if not stat.S_ISREG(found.st_mode):
            raise ArtifactGoneError(GONE)
        return found.st_size

    def remove(self, task_id: str, *, keep: Collection[str] = ()) -> None:
        check_names(task_id)
        folder = self._root / task_id
        with _told():
            if keep:
                for entry in _list(folder):
                    if entry.name not in keep:
                        _remove(entry)
            elif folder.is_symlink() or folder.exists():
                _remove(folder)

    def list(self) -> Iterator[tuple[str, datetime]]:
        with _told():
            for entry in _list(self._root):
                if is_task_id(entry.name):
                    yield entry.name, datetime.fromtimestamp(entry.lstat().st_mtime, UTC)

    def _explain(self, error: OSError) -> StorageError | ArtifactGoneError:
        # Without its root the file is not gone: the disk is not there.
        if error.errno in _NOT_THERE and self._root.is_dir():
            return ArtifactGoneError(GONE)
        return StorageError(_AWAY)


GONE = "This file was there and is not any more: somebody removed it. Make the report again."
_AWAY = "The place where files are kept cannot be used now. Try again in a moment, or tell who runs this."
_FULL = "There is no space left where files are kept. Tell who runs this."


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(_FULL if is_full else _AWAY) from error


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _remove(path: Path) -> None:
    """Remove a file or folder; another may be doing the same."""
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
