"""Scratch folders, where executions write files before they store them: one for each execution."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reports_worker.domain.task_id import is_task_id

from .errors import StorageError, to_storage_error
from .store import Store, check_names

PRIVATE = 0o700
_OTHERS_WRITE = 0o022
_NOT_PRIVATE = (
    "The folder where files are written belongs to another user, or other users can write to it. "
    "Contact your administrator."
)


def make_scratch(store: Store, task_id: str, execution: str) -> Path:
    """Create the empty scratch folder of an execution. Raises StorageError."""
    path = _find(store, task_id, execution)
    try:
        _make_root(store.scratch_root)
        path.mkdir(mode=PRIVATE)
    except OSError as error:
        raise to_storage_error(error) from error
    return path


def remove_scratch(store: Store, task_id: str, execution: str) -> None:
    """Remove the scratch folder as far as possible; a cleaner removes the rest."""
    shutil.rmtree(_find(store, task_id, execution), ignore_errors=True)


def find_scratch(store: Store) -> Iterator[tuple[str, str, Path, datetime]]:
    """Find the scratch folders on this host: task id, execution, path, and the time of the last change."""
    root = store.scratch_root
    if not _is_private(root):
        return
    for path in root.iterdir():
        task_id, _, execution = path.name.partition(".")
        with suppress(FileNotFoundError):
            if is_task_id(task_id):
                yield task_id, execution, path, datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def _make_root(root: Path) -> None:
    """Create the parent of all scratch folders, and check its owner: in /tmp, another user can create it first."""
    root.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    root.mkdir(mode=PRIVATE, exist_ok=True)
    if not _is_private(root):
        raise StorageError(_NOT_PRIVATE)


def _is_private(root: Path) -> bool:
    try:
        found = root.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & _OTHERS_WRITE


def _find(store: Store, task_id: str, execution: str) -> Path:
    check_names(task_id, execution)
    return store.scratch_root / f"{task_id}.{execution}"
