"""The port of a store: the files of each execution of each report."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

# No name begins with a dot, so the store's own files do.
_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,150}", re.ASCII)


@dataclass(frozen=True)
class OpenFile:
    """A file that is being read: the size of the file, and the chunks of the requested range.

    The chunks raise StorageError, also where they end too early. `close` may be called at any time.
    """

    size: int
    chunks: Iterator[bytes]
    close: Callable[[], None]


@dataclass(frozen=True)
class StoredExecution:
    """An execution with stored files, the newest of them written at `modified`."""

    task_id: str
    execution: str
    modified: datetime


class Store(Protocol):
    """Files by report, execution and name, so that no execution overwrites the files of another.

    All methods raise StorageError, within a bounded time.
    """

    @property
    def scratch_root(self) -> Path:
        """The folder on this host that holds the scratch folders of running executions."""

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        """Store a file, which appears complete or not at all; `path` may be moved away."""

    def open(
        self, task_id: str, execution: str, name: str, *, start: int = 0, end: int | None = None
    ) -> OpenFile:
        """Open a file from byte `start` to before byte `end`; raise ArtifactGoneError if it does not exist."""

    def measure(self, task_id: str, execution: str, name: str) -> int:
        """Return the size of a file in bytes; raise ArtifactGoneError if it does not exist."""

    def find_executions(self, task_id: str) -> list[str]:
        """Find the executions of a report that have files, or parts of files."""

    def remove(self, task_id: str, executions: Collection[str]) -> None:
        """Remove all files of these executions; missing files are no error."""

    def find_all(self) -> Iterator[StoredExecution]:
        """Find all executions that have files; the executions of a report are adjacent."""


def is_safe(name: str) -> bool:
    """Return whether a name can be part of a path."""
    return bool(_SAFE.fullmatch(name))


def check_names(*names: str) -> None:
    """Raise ValueError for a name that cannot be part of a path: a second check, of names made by this product."""
    for name in names:
        if not is_safe(name):
            raise ValueError(f"{name[:100]!r} cannot be part of the name of a file")
