"""The Parquet files of one table: their columns, and the SELECT that unites them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import duckdb

from reports_worker.warehouse.column_types import unite
from reports_worker.warehouse.errors import WarehouseError

from .parts import LinkedFile, Part, fold, quote_files, unite_parts, write_hive

_SHAPES = "SELECT file_name, name, duckdb_type, num_children, repetition_type = 'REPEATED' FROM parquet_schema({files})"


def select_parquet(connection: duckdb.DuckDBPyConnection, files: Sequence[LinkedFile]) -> str:
    """Write the SELECT of the rows of all files; raise WarehouseError where the files have no common types."""
    groups = _group(connection, files) if len(files) > 1 else [files]
    if len(groups) == 1:
        return f"FROM {_read(files)}"
    return unite_parts(connection, [_make_part(connection, group) for group in groups], unite)


@dataclass(frozen=True)
class _ParquetPart(Part):
    def read(self, options: str = "") -> str:
        return _read(self.files, options)

    def typed(self, types: Mapping[str, str]) -> Self:  # noqa: ARG002 - Parquet files have their types
        """Return the part unchanged; its columns are cast."""
        return self


def _read(files: Sequence[LinkedFile], options: str = "") -> str:
    return f"read_parquet({quote_files(files)}{write_hive(files)}{options})"


def _make_part(connection: duckdb.DuckDBPyConnection, files: Sequence[LinkedFile]) -> Part:
    rows = connection.execute(f"DESCRIBE FROM {_read(files)}").fetchall()
    return _ParquetPart(files, {name: kind for name, kind, *_ in rows})


def _group(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LinkedFile]
) -> Sequence[Sequence[LinkedFile]]:
    """Group files with the same columns; this reads the footer of each file, and no row."""
    shapes: dict[str, list[tuple[Any, ...]]] = {}
    for link, *element in connection.execute(_SHAPES.format(files=quote_files(files))).fetchall():
        shapes.setdefault(link, []).append(tuple(element))
    groups: dict[object, list[LinkedFile]] = {}
    for file in files:
        # The first element has the name of the program that wrote the file.
        shape = tuple(shapes[file.link][1:])
        groups.setdefault((file.keys, shape), []).append(file)
    if len(groups) > 1:
        for file in files:
            _refuse_twins(file, shapes[file.link])
    return list(groups.values())


def _refuse_twins(file: LinkedFile, elements: Sequence[tuple[Any, ...]]) -> None:
    """Refuse two columns with the same name, which cannot be matched with columns of another file."""
    seen: dict[str, str] = {}
    for name in _list_columns(elements):
        if fold(name) in seen:
            raise WarehouseError(
                f"{file.name} has the columns {seen[fold(name)]!r} and {name!r}, which are the same name in a query: "
                "rename one"
            )
        seen[fold(name)] = name


def _list_columns(elements: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Yield the names of the columns, without nested elements: elements are listed depth first."""
    inside = 0
    for name, _, children, _ in elements[1:]:
        if not inside:
            yield name
            inside = 1
        inside += (children or 0) - 1
