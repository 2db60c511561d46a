"""The files that a report reads, as they were when it began: held open, so that renewing them changes nothing.

An open file keeps its content when another takes its name or when it is removed. DuckDB opens files by name, so it
is given links to what is held: /proc/self/fd/N. Where files cannot be held, they are compared with what they were.
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

from .folder import DataFile, explain_system

_HELD = Path("/proc/self/fd")
# What the process opens besides: connections, libraries, what DuckDB reads at the same time, the report's own files.
SPARE_FILES = 512
_TOO_MANY = (errno.EMFILE, errno.ENFILE)
_Identity = tuple[int, int, int, int]


class HeldFiles:
    """What is held for one report; `faults` has the files that could not be opened, each with the reason."""

    def __init__(self, files: Sequence[DataFile], scratch: Path) -> None:
        self.faults: dict[DataFile, str] = {}
        self._scratch = scratch
        self._links: Path | None = None
        self._folders: set[str] = set()
        self._numbers: dict[DataFile, int] = {}
        self._known: dict[DataFile, _Identity] = {}
        try:
            self._look_at(files, hold=_make_room(len(files)) and _HELD.is_dir())
        except OSError as error:
            self.close()
            if error.errno not in _TOO_MANY:
                raise
            self._look_at(files, hold=False)

    @property
    def are_held(self) -> bool:
        return bool(self._numbers)

    def link(self, file: DataFile, *, table: int, number: int) -> str:
        """Make a link to a file, below its partitions, and return the link's path."""
        if self._links is None:
            self._links = Path(tempfile.mkdtemp(prefix=".tables-", dir=self._scratch))
        folder = "/".join((str(self._links), str(table), *file.partitions))
        if folder not in self._folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        link = f"{folder}/{number}{file.ending}"
        held = self._numbers.get(file)
        Path(link).symlink_to(file.path if held is None else _HELD / str(held))
        return link

    def find_links(self, text: str) -> Sequence[str]:
        """Find the links that a text names."""
        if self._links is None:
            return []
        return re.findall(rf"{re.escape(str(self._links))}/\d+/.*?\d+\.(?:parquet|csv\.gz|csv)", text)

    def find_changed(self, files: Iterable[DataFile]) -> DataFile | None:
        """Find a file whose content is not what it was: rewritten in place, or renewed where it is not held."""
        return next((file for file in files if self._is_changed(file)), None)

    def close(self) -> None:
        for number in self._numbers.values():
            os.close(number)
        self._numbers.clear()

    def _look_at(self, files: Sequence[DataFile], *, hold: bool) -> None:
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
                self.faults[file] = explain_system(error)

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


def explain_change(table: str, file: DataFile) -> WarehouseUnavailableError:
    return WarehouseUnavailableError(
        f"The warehouse's table {table!r} changed while the report read it: {file.name} was written to or removed. "
        "Try again when that is done; to renew a file under a running report, write it aside and rename it."
    )


def _open(path: str, flags: int) -> int:
    """Open a file that no program started from here gets; what is no file by now must not block."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)


def _identify(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _make_room(count: int) -> bool:
    """Let this process open so many files, each once more while it is read, and others; tell whether it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * count + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return True
    may = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (may, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= wanted
