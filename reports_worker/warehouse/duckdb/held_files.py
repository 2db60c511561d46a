"""The files that a report reads, held open from its start, so that a replaced file does not affect the report.

An open file keeps its content when it is replaced or removed. DuckDB opens files by name, so it gets links to the
open files: /proc/self/fd/N. Files that cannot be held open are compared with their state at the start.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from reports_worker.warehouse.errors import WarehouseUnavailableError

from .folder import DataFile, describe_os_error

_OPEN_FILES = Path("/proc/self/fd")
# File descriptors for other use: connections, libraries, DuckDB's concurrent reads, the report's own files.
RESERVED_FILES = 512
_TOO_MANY = (errno.EMFILE, errno.ENFILE)
_Identity = tuple[int, int, int, int]


class HeldFiles:
    """The open files of one report; `faults` has the files that could not be opened, with the reason."""

    def __init__(self, files: Sequence[DataFile], scratch: Path) -> None:
        self.faults: dict[DataFile, str] = {}
        self._scratch = scratch
        self._links: Path | None = None
        self._folders: set[str] = set()
        self._numbers: dict[DataFile, int] = {}
        self._known: dict[DataFile, _Identity] = {}
        try:
            self._open_all(files, hold=_raise_limit(len(files)) and _OPEN_FILES.is_dir())
        except OSError as error:
            self.close()
            if error.errno not in _TOO_MANY:
                raise
            self._open_all(files, hold=False)

    @property
    def are_held(self) -> bool:
        return bool(self._numbers)

    def link(self, file: DataFile, *, table: int, number: int) -> str:
        """Create a link to a file, below its partitions, and return the path of the link."""
        if self._links is None:
            self._links = Path(tempfile.mkdtemp(prefix=".tables-", dir=self._scratch))
        folder = "/".join((str(self._links), str(table), *file.partitions))
        if folder not in self._folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        link = f"{folder}/{number}{file.ending}"
        held = self._numbers.get(file)
        Path(link).symlink_to(file.path if held is None else _OPEN_FILES / str(held))
        return link

    def find_links(self, text: str) -> Sequence[str]:
        """Find the links that occur in a text."""
        if self._links is None:
            return []
        return re.findall(rf"{re.escape(str(self._links))}/\d+/.*?\d+\.(?:parquet|csv\.gz|csv)", text)

    def find_changed(self, files: Iterable[DataFile]) -> DataFile | None:
        """Find a file whose content has changed: rewritten in place, or replaced where it is not held open."""
        return next((file for file in files if self._is_changed(file)), None)

    def close(self) -> None:
        for number in self._numbers.values():
            os.close(number)
        self._numbers.clear()

    def _open_all(self, files: Sequence[DataFile], *, hold: bool) -> None:
        for file in files:
            try:
                if hold:
                    self._hold(file)
                else:
                    with open(file.path, "rb", opener=_open) as opened:
                        self._known[file] = _identify(os.fstat(opened.fileno()))
            except OSError as error:
                if error.errno in _TOO_MANY:
                    raise
                self.faults[file] = describe_os_error(error)

    def _hold(self, file: DataFile) -> None:
        number = _open(str(file.path), os.O_RDONLY)
        self._numbers[file] = number
        self._known[file] = _identify(os.fstat(number))

    def _is_changed(self, file: DataFile) -> bool:
        held = self._numbers.get(file)
        try:
            now = file.path.stat() if held is None else os.fstat(held)
        except OSError:
            return True
        return _identify(now) != self._known[file]


def to_change_error(table: str, file: DataFile) -> WarehouseUnavailableError:
    return WarehouseUnavailableError(
        f"The warehouse's table {table!r} changed while the report read it: {file.name} was changed or removed. "
        "Try again when the change is complete. To replace a file during a report, write a new file and rename it."
    )


def _open(path: str, flags: int) -> int:
    """Open a file, not inherited by child processes; a pipe in its place must not block."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)


def _identify(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _raise_limit(count: int) -> bool:
    """Raise the limit of open files to twice this count and a reserve; tell whether the limit is high enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * count + RESERVED_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return True
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= needed
