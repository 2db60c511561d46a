"""The tables of a folder: each Parquet or CSV file, and each folder of such files, by name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reports_worker.warehouse.errors import WarehouseUnavailableError

from .parts import fold

PARQUET, CSV = "Parquet", "CSV"
_KINDS = {".parquet": PARQUET, ".csv": CSV, ".csv.gz": CSV}
# `~$` begins the name of the lock file that an office program writes next to an open file.
_IGNORED_PREFIXES = (".", "_", "~$")
_NO_ENTRY = (errno.ENOENT, errno.ELOOP)


@dataclass(frozen=True)
class DataFile:
    """A file of a table. `name` is its path inside the warehouse, for messages.

    `partitions` are the folders above the file that are named `column=value`.
    """

    path: Path
    name: str
    ending: str
    partitions: tuple[str, ...] = ()


@dataclass(frozen=True)
class FolderTable:
    """A table and its files, or the reason why it cannot be read."""

    name: str
    files: Sequence[DataFile] = field(default=())
    fault: str = ""

    @property
    def kind(self) -> str:
        return _KINDS[self.files[0].ending]


def find_tables(folder: Path) -> Sequence[FolderTable]:
    """Return the tables of a folder by name; names that begin with `.`, `_` or `~$` are ignored.

    A table that cannot be read has a fault, and does not affect other tables. Raises WarehouseUnavailableError where
    the folder itself cannot be listed.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise WarehouseUnavailableError(
            f"The warehouse's folder cannot be listed: {describe_os_error(error)}. Contact your administrator."
        ) from error
    tables: dict[str, tuple[Path, FolderTable]] = {}
    for entry in entries:
        table = _find_table(entry, folder)
        if table is None:
            continue
        key = fold(table.name)
        if key in tables:
            other, first = tables[key]
            fault = f"{printable(other.name)} and {printable(entry.name)} are both this table: keep one"
            table = FolderTable(first.name, fault=fault)
        tables[key] = entry, table
    return [table for _, table in tables.values()]


def describe_os_error(error: OSError) -> str:
    """Describe why a file cannot be opened, without its path."""
    if isinstance(error, PermissionError):
        return "the worker has no permission to read it"
    if error.errno in _NO_ENTRY:
        return "it does not exist"
    return (error.strerror or type(error).__name__).lower()


def printable(name: str) -> str:
    """Return a file's name as text; bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


class _UnreadableError(Exception):
    """The reason why a table cannot be read, without a full stop."""


def _find_table(entry: Path, folder: Path) -> FolderTable | None:
    is_folder = entry.is_dir()
    ending = "" if is_folder else _ending(entry) or ""
    name = entry.name[: len(entry.name) - len(ending)]
    try:
        files = list(_find_files(entry, folder))
        if not files:
            return None
        _check(files)
    except _UnreadableError as error:
        return FolderTable(printable(name), fault=str(error))
    except OSError as error:
        where = Path(error.filename or entry)
        inside = printable(str(where.relative_to(folder))) if where.is_relative_to(folder) else "a folder"
        fault = f"{inside} cannot be listed: {describe_os_error(error)}. Contact your administrator"
        return FolderTable(printable(name), fault=fault)
    return FolderTable(name, files)


def _find_files(path: Path, folder: Path) -> Iterator[DataFile]:
    if path.name.startswith(_IGNORED_PREFIXES):
        return
    ending = _ending(path)
    if path.is_dir():
        if path.is_symlink():
            _check_link(path, folder)
        for inner in sorted(path.iterdir()):
            yield from _find_files(inner, folder)
    elif ending:
        name = path.relative_to(folder)
        if path.is_symlink():
            _check_link(path, folder)
        partitions = tuple(part for part in name.parts[:-1] if "=" in part)
        yield DataFile(path, printable(str(name)), ending, partitions)


def _check_link(link: Path, folder: Path) -> None:
    """Refuse a link to a path outside the warehouse, and a link to a folder that contains the link."""
    name = printable(str(link.relative_to(folder)))
    target = Path(os.path.realpath(link))
    if not target.exists():
        raise _UnreadableError(f"{name} is a link to a file that does not exist")
    if not target.is_relative_to(folder):
        raise _UnreadableError(f"{name} is a link to a path outside the warehouse's folder")
    if target.is_dir() and link.is_relative_to(target):
        raise _UnreadableError(f"{name} is a link to a folder that contains it")


def _check(files: Sequence[DataFile]) -> None:
    if len({_KINDS[file.ending] for file in files}) > 1:
        raise _UnreadableError("its folder has Parquet and CSV files: keep one kind")
    if odd := next((file for file in files if "\ufffd" in file.name), None):
        raise _UnreadableError(f"the name of {odd.name} is not UTF-8: rename it")
    for file in files:
        try:
            mode = file.path.stat().st_mode
        except OSError as error:
            raise _UnreadableError(f"{file.name} cannot be read: {describe_os_error(error)}") from error
        if not stat.S_ISREG(mode):
            raise _UnreadableError(f"{file.name} is a pipe, a socket or a device, not a file")


def _ending(path: Path) -> str | None:
    return next((ending for ending in _KINDS if path.name.lower().endswith(ending)), None)
