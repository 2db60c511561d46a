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

from reports_worker.domain.task_id import is_task_id

from .errors import AWAY, CHANGED, GONE, ArtifactGoneError, StorageError, explain
from .scratch import PRIVATE
from .store import OpenFile, StoredExecution, check_names, is_safe

_SCRATCH = ".scratch"
_CHUNK = 2**18
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Whatever stands where a file should be, a pipe for one, must not hold us up.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TRIES = 5


class FolderStore:
    """Keeping a file is a rename: scratch folders lie in the same file system. Links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def scratch_root(self) -> Path:
        return self._root / _SCRATCH

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        check_names(task_id, execution, name)
        with _told():
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
        with _told():
            return [] if folder.is_symlink() else [path.name for path in _find_folders(folder)]

    def remove(self, task_id: str, executions: Collection[str]) -> None:
        check_names(task_id, *executions)
        folder = self._root / task_id
        if folder.is_symlink():
            return
        with _told():
            for execution in executions:
                _remove_folder(folder / execution)
        # Not empty, or another was quicker.
        with suppress(OSError):
            folder.rmdir()

    def find_all(self) -> Iterator[StoredExecution]:
        with _told():
            for folder in _find_folders(self._root):
                if is_task_id(folder.name):
                    for path in _find_folders(folder):
                        with suppress(FileNotFoundError):
                            modified = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
                            yield StoredExecution(folder.name, path.name, modified)

    def _make_folder(self, task_id: str, execution: str) -> Path:
        """Make the folder of an execution; whoever clears away may take an empty one above it meanwhile."""
        self._root.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        above = self._root / task_id
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):
                above.mkdir(mode=PRIVATE, exist_ok=True)
                (above / execution).mkdir(mode=PRIVATE, exist_ok=True)
                break
        if above.is_symlink() or (above / execution).is_symlink():
            raise StorageError(AWAY)
        return above / execution

    def _open(self, task_id: str, execution: str, name: str) -> BinaryIO:
        """Open it step by step, so that no link on the way leads elsewhere."""
        check_names(task_id, execution, name)
        try:
            descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise explain(error) from error
        try:
            for part, flags in ((task_id, _FOLDER), (execution, _FOLDER), (name, _FILE)):
                above = descriptor
                try:
                    descriptor = os.open(part, flags, dir_fd=above)
                finally:
                    os.close(above)
        except OSError as error:
            # The root is there, so this one was removed.
            raise (ArtifactGoneError(GONE) if error.errno in _NOT_THERE else explain(error)) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ArtifactGoneError(GONE)
        return os.fdopen(descriptor, "rb", buffering=0)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explain(error) from error


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(path, target)


def _read(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count > 0:
        with _told():
            chunk = file.read(min(_CHUNK, count))
        if not chunk:
            raise ArtifactGoneError(CHANGED)
        count -= len(chunk)
        yield chunk


def _find_folders(folder: Path) -> list[Path]:
    """Find what is in a folder that may be ours; nothing where there is no folder."""
    try:
        found = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in found if is_safe(path.name) and path.is_dir() and not path.is_symlink()]


def _remove_folder(folder: Path) -> None:
    """Remove a folder; others may be doing the same, and what they take first is no error."""
    while folder.is_dir() and not folder.is_symlink():
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
