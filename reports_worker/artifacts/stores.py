"""What a store is: a place for the files of each execution of each report."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,150}", re.ASCII)


class Store(Protocol):
    """Files by report, execution and name, so that no attempt ever writes over another's.

    All methods raise StorageError.
    """

    @property
    def scratch_root(self) -> Path:
        """Where on this host the executions that run now write, a folder each."""

    def put(self, task_id: str, execution: str, name: str, path: Path) -> None:
        """Keep a file, which appears whole or not at all; `path` may be moved away."""

    def open(self, task_id: str, execution: str, name: str) -> BinaryIO:
        """Open a file to be read, from wherever in it; raise ArtifactGoneError where it is not."""

    def measure(self, task_id: str, execution: str, name: str) -> int:
        """Tell the bytes of a file; raise ArtifactGoneError where it is not."""

    def remove(self, task_id: str, *, keep: Collection[str] = ()) -> None:
        """Remove the files of a report but those of the executions to `keep`; none there is no error."""

    def list(self) -> Iterator[tuple[str, datetime]]:
        """Tell the reports of which there are files, and since when they are as they are, at least."""


def check_names(*names: str) -> None:
    """Raise ValueError for what cannot be part of a path: names are ours, but are looked at again here."""
    for name in names:
        if not _SAFE.fullmatch(name):
            raise ValueError(f"{name[:100]!r} cannot be part of the name of a file")
