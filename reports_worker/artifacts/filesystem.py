"""The store in a folder: `<folder>/<task id>/<execution>/<name>`."""

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

from reports_worker.domain.task_id import is_task_id

from .errors import AWAY, CHANGED, GONE, ArtifactGoneError, StorageError, to_storage_error
from .scratch import PRIVATE
from .store import OpenFile, StoredExecution, check_names, is_safe

_SCRATCH = ".scratch"
_CHUNK = 2**18
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a pipe in the place of a file must not block.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ATTEMPTS = 5


class FolderStore:
    """Stores a file by a rename, since scratch folders are in the same file system. Links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def scratch_root(self) -> Path:
        return self._root / _SCRATCH

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        check_names(task_id, execution, name)
        with _translated_errors():
            folder = self._make_folder(task_id, execution)
            part = folder / f".{name}.part"
            try:
                _move(path, part)
                _sync(part)
                part.rename(folder / name)
            finally:
                part.unlink(missing_ok=True)
            _sync(folder)

    def open(
        self, task_id: str, execution: str, name: str, *, start: int = 0, end: int | None = None
    ) -> OpenFile:
        file = self._open(task_id, execution, name)
        size = os.fstat(file.fileno()).st_size
        file.seek(start)
        count = (size if end is None else min(end, size)) - start
        return OpenFile(size, _read(file, count), file.close)

    def measure(self, task_id: str, execution: str, name: str) -> int:
        with self._open(task_id, execution, name) as file:
            return os.fstat(file.fileno()).st_size

    def find_executions(self, task_id: str) -> list[str]:
        check_names(task_id)
        folder = self._root / task_id
        with _translated_errors():
            return [] if folder.is_symlink() else [path.name for path in _find_folders(folder)]

    def remove(self, task_id: str, executions: Collection[str]) -> None:
        check_names(task_id, *executions)
        folder = self._root / task_id
        if folder.is_symlink():
            return
        with _translated_errors():
            for execution in executions:
                _remove_folder(folder / execution)
        # The folder is not empty, or another process has removed it.
        with suppress(OSError):
            folder.rmdir()

    def find_all(self) -> Iterator[StoredExecution]:
        with _translated_errors():
            for folder in _find_folders(self._root):
                if is_task_id(folder.name):
                    for path in _find_folders(folder):
                        with suppress(FileNotFoundError):
                            modified = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
                            yield StoredExecution(folder.name, path.name, modified)

    def _make_folder(self, task_id: str, execution: str) -> Path:
        """Create the folder of an execution. A cleaner may remove the empty parent at the same time, so retry."""
        self._root.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        above = self._root / task_id
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):
                above.mkdir(mode=PRIVATE, exist_ok=True)
                (above / execution).mkdir(mode=PRIVATE, exist_ok=True)
                break
        if above.is_symlink() or (above / execution).is_symlink():
            raise StorageError(AWAY)
        return above / execution

    def _open(self, task_id: str, execution: str, name: str) -> BinaryIO:
        """Open the file folder by folder, so that no link in the path leads out of the store."""
        check_names(task_id, execution, name)
        try:
            descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise to_storage_error(error) from error
        try:
            for part, flags in ((task_id, _FOLDER), (execution, _FOLDER), (name, _FILE)):
                above = descriptor
                try:
                    descriptor = os.open(part, flags, dir_fd=above)
                finally:
                    os.close(above)
        except OSError as error:
            # The root exists, so the file was removed.
            raise (
                ArtifactGoneError(GONE) if error.errno in _NOT_THERE else to_storage_error(error)
            ) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ArtifactGoneError(GONE)
        return os.fdopen(descriptor, "rb", buffering=0)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise to_storage_error(error) from error


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(path, target)


def _read(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count > 0:
        with _translated_errors():
            chunk = file.read(min(_CHUNK, count))
        if not chunk:
            raise ArtifactGoneError(CHANGED)
        count -= len(chunk)
        yield chunk


def _find_folders(folder: Path) -> list[Path]:
    """Find the subfolders that this store may have created; none where there is no folder."""
    try:
        found = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in found if is_safe(path.name) and path.is_dir() and not path.is_symlink()]


def _remove_folder(folder: Path) -> None:
    """Remove a folder. Another process may remove the same folder at the same time; that is no error."""
    while folder.is_dir() and not folder.is_symlink():
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
