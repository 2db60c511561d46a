"""The tables of a folder: each Parquet or CSV file, and each folder of such, by its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import WarehouseError

_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".csv.gz": "read_csv"}


@dataclass(frozen=True)
class FolderTable:
    """A table, and the call that reads all its files. They are named one by one: a later one is not seen."""

    name: str
    source: str


def find_tables(folder: Path) -> Iterator[FolderTable]:
    """Yield the tables of a folder; names that begin with . or _ do not count."""
    seen: set[str] = set()
    for path in sorted(folder.iterdir()):
        files = _find_files(path)
        if not files:
            continue
        name = path.name if path.is_dir() else path.name.removesuffix(_ending(path) or "")
        if name.casefold() in seen:
            raise WarehouseError(f"The warehouse has two files or folders for the table {name!r}: keep one.")
        seen.add(name.casefold())
        yield FolderTable(name, _read(name, files))


def _find_files(path: Path) -> Sequence[Path]:
    if path.name.startswith((".", "_")):
        return []
    if path.is_dir():
        return [file for inner in sorted(path.iterdir()) for file in _find_files(inner)]
    return [path] if _ending(path) else []


def _ending(path: Path) -> str | None:
    return next((ending for ending in _READERS if path.name.lower().endswith(ending)), None)


def _read(name: str, files: Sequence[Path]) -> str:
    readers = {_READERS[_ending(file) or ""] for file in files}
    if len(readers) > 1:
        raise WarehouseError(f"The warehouse's folder {name!r} has Parquet and CSV files: keep one kind.")
    if any(set(str(file)) & set("*?[") for file in files):
        raise WarehouseError(
            f"A path of the warehouse's table {name!r} has *, ? or [, which DuckDB reads as a pattern."
        )
    paths = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"{readers.pop()}([{paths}])"
