"""A table of several parts, united by column name and type. A part is a set of files that one call reads."""

from __future__ import annotations

import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import duckdb

from reports_worker.lib.sql import quote_name, quote_text
from reports_worker.warehouse.column_types import TEXT, find_lossy
from reports_worker.warehouse.errors import WarehouseError

# The name of the column with the file of a row; no file has a column with this name.
_FILE = "file of the warehouse"
# Reads the values of partition folders as text.
_AS_TEXT = ", hive_types_autocast = false"
_SMALL_LETTERS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True)
class LinkedFile:
    """The link by which DuckDB opens a file, and the file's path inside the warehouse, for messages."""

    link: str
    name: str
    partitions: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns from its partition folders: `year=2026/month=02`."""
        return tuple(part.partition("=")[0] for part in self.partitions)


@dataclass(frozen=True)
class Part(ABC):
    """Files of one shape. `columns` has their types by name, in order, including columns from folders."""

    files: Sequence[LinkedFile]
    columns: Mapping[str, str]

    @abstractmethod
    def read(self, options: str = "") -> str:
        """Write the call that reads the files."""

    @abstractmethod
    def typed(self, types: Mapping[str, str]) -> Self:
        """Return the part that reads its columns with these types, as far as possible."""

    def write(self, name: str, target: str) -> str:
        """Write the expression of a column of this part, cast to a type."""
        quoted = quote_name(name)
        return quoted if self.columns[name] == target else f"CAST({quoted} AS {target})"

    def find(self, column: str) -> str | None:
        """Find a column by name, case-insensitive."""
        return self._names.get(fold(column))

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {fold(name): name for name in self.columns}

    def is_key(self, name: str) -> bool:
        return name in self.files[0].keys

    def find_value(
        self, connection: duckdb.DuckDBPyConnection, name: str, condition: str
    ) -> tuple[str, str] | None:
        """Find a value for which a condition is true; return its file, and the value as text."""
        source = self.read(f", filename = {quote_text(_FILE)}")
        row = connection.execute(
            f"SELECT {quote_name(_FILE)}, CAST({quote_name(name)} AS VARCHAR) FROM {source} WHERE {condition} LIMIT 1"
        ).fetchone()
        return row and (next(file.name for file in self.files if file.link == row[0]), str(row[1]))


Having = Sequence[tuple[Part, str]]
Unite = Callable[[Sequence[str]], str | None]


def unite_parts(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], unite: Unite) -> str:
    """Write the SELECT of the rows of all parts; refuse columns without a common type, with file and column.

    The SELECT has the columns of all parts, with NULL where a part does not have a column.
    """
    names: dict[str, str] = {}
    for part in parts:
        for name in part.columns:
            names.setdefault(fold(name), name)
    types = {column: _unite_column(connection, parts, name, unite) for column, name in names.items()}
    return " UNION ALL ".join(_select(part, names, types) for part in parts)


def _select(part: Part, names: Mapping[str, str], types: Mapping[str, str]) -> str:
    typed = part.typed({name: types[fold(name)] for name in part.columns})
    keys = {name: types[fold(name)] for name in part.columns if part.is_key(name)}
    as_text = any(kind == TEXT != part.columns[name] for name, kind in keys.items())
    columns = []
    for column, shown in names.items():
        name = part.find(column)
        if name is None:
            value = f"CAST(NULL AS {types[column]})"
        elif name in keys and as_text:
            value = f"CAST({quote_name(name)} AS {types[column]})"
        else:
            value = typed.write(name, types[column])
        columns.append(f"{value} AS {quote_name(shown)}")
    return f"SELECT {', '.join(columns)} FROM {typed.read(_AS_TEXT if as_text else '')}"


def _unite_column(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], column: str, unite: Unite
) -> str:
    having = [(part, name) for part in parts if (name := part.find(column)) is not None]
    kinds = [part.columns[name] for part, name in having]
    if all(part.is_key(name) for part, name in having):
        return kinds[0] if len(set(kinds)) == 1 else TEXT
    target = unite(kinds)
    if target is None or (target == TEXT and len(set(kinds)) > 1):
        # A column without values can have any type: pandas, for example, writes it as floating-point numbers.
        having = [
            (part, name)
            for part, name in having
            if part.find_value(connection, name, f"{quote_name(name)} IS NOT NULL")
        ]
        target = unite([part.columns[name] for part, name in having]) if having else TEXT
    if target is None:
        raise WarehouseError(
            f"{_describe_both(having, column, unite)}, and no type holds both: write all files with one type"
        )
    for part, name in having:
        _refuse_changed(connection, having, part, name, target)
    return target


def _refuse_changed(
    connection: duckdb.DuckDBPyConnection, having: Having, part: Part, name: str, target: str
) -> None:
    """Refuse a value that the cast to the common type would change."""
    lossy = find_lossy(part.columns[name], target)
    found = lossy and part.find_value(connection, name, lossy(quote_name(name)))
    if found:
        other, kind = next(
            (other, other.columns[other_name])
            for other, other_name in having
            if other.columns[other_name] != part.columns[name]
        )
        raise WarehouseError(
            f"column {name!r} is {part.columns[name]} in {found[0]} and {kind} in {other.files[0].name}, and "
            f"{target}, which would hold both, changes {found[1]}: write all files with one type"
        )


def _describe_both(having: Having, column: str, unite: Unite) -> str:
    """Name the first two files whose types have no common type."""
    kinds = [(part.columns[name], part.files[0].name) for part, name in having]
    pairs = [(one, other) for number, one in enumerate(kinds) for other in kinds[number + 1 :]]
    one, other = next(
        (pair for pair in pairs if unite([pair[0][0], pair[1][0]]) is None), (kinds[0], kinds[-1])
    )
    return f"column {column!r} is {one[0]} in {one[1]} and {other[0]} in {other[1]}"


def write_hive(files: Sequence[LinkedFile]) -> str:
    """Write the option that reads columns from the names of folders, or turns it off."""
    return f", hive_partitioning = {'true' if files[0].keys else 'false'}"


def fold(name: str) -> str:
    """Fold the case of a name as DuckDB does: only A to Z equal a to z."""
    return name.translate(_SMALL_LETTERS)


def quote_files(files: Sequence[LinkedFile]) -> str:
    return "[" + ", ".join(quote_text(file.link) for file in files) + "]"
