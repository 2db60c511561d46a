"""What a store is: a place for the files of each execution of each report."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

# A name never begins with a dot, so what does is ours alone.
_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,150}", re.ASCII)


@dataclass(frozen=True)
class OpenFile:
    """A file that is being read: its whole size, and the chunks of what was asked for.

    The chunks raise StorageError, also where they come to an end too soon. `close` may be called at any time.
    """

    size: int
    chunks: Iterator[bytes]
    close: Callable[[], None]


@dataclass(frozen=True)
class StoredExecution:
    """That there are files of an execution, the youngest of them written at `modified`."""

    task_id: str
    execution: str
    modified: datetime


class Store(Protocol):
    """Files by report, execution and name, so that no attempt ever writes over another's.

    All methods raise StorageError, within a bounded time.
    """

    @property
    def scratch_root(self) -> Path:
        """Where on this host the executions that run now write, a folder each."""

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        """Keep a file, which appears whole or not at all; `path` may be moved away."""

    def open(
        self, task_id: str, execution: str, name: str, *, start: int = 0, end: int | None = None
    ) -> OpenFile:
        """Open a file from byte `start` to before byte `end`; raise ArtifactGoneError where it is not."""

    def measure(self, task_id: str, execution: str, name: str) -> int:
        """Tell the bytes of a file; raise ArtifactGoneError where it is not."""

    def find_executions(self, task_id: str) -> list[str]:
        """Tell of which executions there are files, or parts of files."""

    def remove(self, task_id: str, executions: Collection[str]) -> None:
        """Remove all files of these executions; none there is no error."""

    def find_all(self) -> Iterator[StoredExecution]:
        """Tell of which reports and executions there are files, the executions of a report in a row."""


def is_safe(name: str) -> bool:
    """Tell whether a name can be part of a path."""
    return bool(_SAFE.fullmatch(name))


def check_names(*names: str) -> None:
    """Raise ValueError for what cannot be part of a path: names are ours, but are looked at again here."""
    for name in names:
        if not is_safe(name):
            raise ValueError(f"{name[:100]!r} cannot be part of the name of a file")
