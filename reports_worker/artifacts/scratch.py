"""Where executions write before their files are kept: a folder each, named after report and execution."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reports_worker.domain.task_id import is_task_id

from .errors import StorageError, explain
from .store import Store, check_names

PRIVATE = 0o700
_OTHERS_WRITE = 0o022
_OTHERS = "The folder in which files are written belongs to another user, or others may write there."


def make_scratch(store: Store, task_id: str, execution: str) -> Path:
    """Make the folder of an execution, empty. Raises StorageError."""
    path = _find(store, task_id, execution)
    try:
        _make_root(store.scratch_root)
        path.mkdir(mode=PRIVATE)
    except OSError as error:
        raise explain(error) from error
    return path


def remove_scratch(store: Store, task_id: str, execution: str) -> None:
    """Remove it, as far as that is possible: a cleaner takes what is left."""
    shutil.rmtree(_find(store, task_id, execution), ignore_errors=True)


def find_scratch(store: Store) -> Iterator[tuple[str, str, Path, datetime]]:
    """Find those there are on this host: report, execution, path, and when the folder changed last."""
    root = store.scratch_root
    if not _is_ours(root):
        return
    for path in root.iterdir():
        task_id, _, execution = path.name.partition(".")
        with suppress(FileNotFoundError):
            if is_task_id(task_id):
                yield task_id, execution, path, datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def _make_root(root: Path) -> None:
    """Make the folder of all of them, and see that it is ours: where all may write, others may be quicker."""
    root.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    root.mkdir(mode=PRIVATE, exist_ok=True)
    if not _is_ours(root):
        raise StorageError(_OTHERS)


def _is_ours(root: Path) -> bool:
    try:
        found = root.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & _OTHERS_WRITE


def _find(store: Store, task_id: str, execution: str) -> Path:
    check_names(task_id, execution)
    return store.scratch_root / f"{task_id}.{execution}"
