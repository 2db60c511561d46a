"""The CSV files of one table: how they are written, and the SELECT that unites them.

The first line of a file says how many fields each of its lines has. DuckDB's own look at a file skips the lines that
do not fit the most others, or takes them for one column; here such a file is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import duckdb

from reports_worker.lib.sql import quote_name, quote_text
from reports_worker.warehouse.column_types import TEXT, is_number, unite
from reports_worker.warehouse.errors import WarehouseError

from .csv_lines import (
    QUOTE,
    decode_start,
    guess_separator,
    has_more_rows,
    read_start,
    refuse_cut_off,
    refuse_fields,
    refuse_odd_line,
)
from .parts import LinkedFile, Part, fold, quote_files, unite_parts, write_hive

# DuckDB looks at so many rows to tell the types.
SAMPLE_ROWS = 20_480
# Begins the text of an error that a query raises by itself: file, column and value follow.
MARK, BETWEEN = "\x01value", "\x1f"
_WHOLE = ("BIGINT", "HUGEINT")
_DATE, _TIMESTAMP = "DATE", "TIMESTAMP"
_ISO_DATE = "%Y-%m-%d"
_DATED = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIME")
_EMPTY = "(empty)"
_BACKSLASH = "\\"


def select_csv(connection: duckdb.DuckDBPyConnection, files: Sequence[LinkedFile]) -> str:
    """Write the SELECT that has the rows of all files; raise WarehouseError where they cannot be united."""
    written = [file for file in files if read_start(file).strip(b"\r\n\t \xef\xbb\xbf")] or files[:1]
    parts = list(_merge(part for group in _group(written) for part in _sniff_group(connection, group)))
    return unite_parts(connection, _keep_mixed_dates(_name_headerless(parts)), _unite)


@dataclass(frozen=True)
class _Dialect:
    """How a file is written. An empty quote is none; `skip` counts the empty lines before the first."""

    separator: str
    quote: str
    escape: str
    line_end: str
    comment: str
    skip: int
    has_header: bool
    date_format: str = ""
    timestamp_format: str = ""

    @property
    def has_known_quotes(self) -> bool:
        return self.quote in ("", QUOTE) and self.escape in ("", QUOTE)


@dataclass(frozen=True)
class _Guard:
    """How a column that is read as text becomes its type, and which values do not, though DuckDB casts them."""

    kind: str
    dialect: _Dialect

    def find_odd(self, quoted: str) -> str:
        if self.kind in _WHOLE:
            return f"NOT regexp_full_match({quoted}, ' *[-+]?[0-9]+ *')"
        if self.kind == _DATE:
            return f"contains({quoted}, ':')"
        return (
            f"regexp_matches({quoted}, ':[0-9]{{2}}([.,][0-9]+)? ?([-+]|[A-Za-z]+$)')"
            if not self._format
            else "false"
        )

    def cast(self, quoted: str, target: str) -> str:
        if self._format:
            return f"CAST(try_strptime({quoted}, {quote_text(self._format)}) AS {target})"
        return f"TRY_CAST({quoted} AS {target})"

    @property
    def way(self) -> str:
        """In which order and with which marks dates are written; nothing for the order of ISO 8601."""
        return "" if self._format.startswith(_ISO_DATE) else self._format

    @property
    def _format(self) -> str:
        return {_DATE: self.dialect.date_format, _TIMESTAMP: self.dialect.timestamp_format}.get(self.kind, "")


@dataclass(frozen=True)
class _CsvPart(Part):
    """Written in one dialect.

    `guarded` are columns of which DuckDB has not seen all values: it would round a fraction among whole numbers, and
    drop the time behind a date, or the zone behind a time.
    """

    dialect: _Dialect
    guarded: Mapping[str, _Guard] = field(default_factory=dict)

    def read(self, options: str = "") -> str:
        columns = {name: kind for name, kind in self.columns.items() if not self.is_key(name)}
        types = ", ".join(f"{quote_text(name)}: {quote_text(kind)}" for name, kind in columns.items())
        how = ["auto_detect = false", *self.describe_dialect(), f"columns = {{{types}}}"]
        if self.dialect.date_format:
            how.append(f"dateformat = {quote_text(self.dialect.date_format)}")
        if self.dialect.timestamp_format:
            how.append(f"timestampformat = {quote_text(self.dialect.timestamp_format)}")
        return f"read_csv({quote_files(self.files)}, {', '.join(how)}{write_hive(self.files)}{options})"

    def describe_dialect(self) -> Iterator[str]:
        """Yield the options that say how the files are written."""
        dialect = self.dialect
        yield f"delim = {quote_text(dialect.separator)}"
        yield f"quote = {quote_text(dialect.quote)}"
        yield f"escape = {quote_text(dialect.escape)}"
        yield f"comment = {quote_text(dialect.comment)}"
        yield f"skip = {dialect.skip}"
        yield f"header = {'true' if dialect.has_header else 'false'}"
        yield f"new_line = {quote_text(dialect.line_end)}"

    def typed(self, types: Mapping[str, str]) -> Self:
        """Read text as it is written, and numbers as what they become."""
        is_long = self._is_long()
        guarded = {
            name: _Guard(types[name], self.dialect)
            for name, kind in self.columns.items()
            if is_long and not self.is_key(name) and _has_guard(kind, types[name])
        }
        columns = {
            name: kind if self.is_key(name) else TEXT if name in guarded else types[name]
            for name, kind in self.columns.items()
        }
        return replace(self, columns=columns, guarded=guarded)

    def write(self, name: str, target: str) -> str:
        if name not in self.guarded:
            return super().write(name, target)
        quoted = quote_name(name)
        between = f"|| {quote_text(BETWEEN)} ||"
        fault = (
            f"error({quote_text(MARK)} {between} filename {between} {quote_text(name)} {between} {quoted})"
        )
        guard = self.guarded[name]
        return (
            f"CASE WHEN {quoted} IS NULL OR {quoted} = '' THEN NULL WHEN {guard.find_odd(quoted)} THEN {fault} "
            f"ELSE coalesce({guard.cast(quoted, target)}, {fault}) END"
        )

    def _is_long(self) -> bool:
        return any(has_more_rows(file, SAMPLE_ROWS) for file in self.files)


def _unite(kinds: Sequence[str]) -> str | None:
    """Return numbers for numbers, and else text, as it is written."""
    if len(set(kinds)) == 1 or all(map(is_number, kinds)):
        return unite(kinds)
    return TEXT


def _has_guard(kind: str, target: str) -> bool:
    """Tell whether values that DuckDB has not seen may be cast in silence to what they are not."""
    return target in _WHOLE or (kind == target and target in (_DATE, _TIMESTAMP))


def _keep_mixed_dates(parts: Sequence[_CsvPart]) -> Sequence[_CsvPart]:
    """Leave dates as text that parts write in different ways: 02/01 in one may be a day and a month, or the reverse."""
    ways: dict[str, set[str]] = {}
    for part in parts:
        for name, kind in part.columns.items():
            if kind in (_DATE, _TIMESTAMP):
                ways.setdefault(fold(name), set()).add(_Guard(kind, part.dialect).way)
    mixed = {name for name, found in ways.items() if len(found) > 1}
    return [
        replace(
            part, columns={name: TEXT if fold(name) in mixed else kind for name, kind in part.columns.items()}
        )
        for part in parts
    ]


def _group(files: Sequence[LinkedFile]) -> Sequence[Sequence[LinkedFile]]:
    """Put files together whose first lines are the same, since those are most likely headers."""
    groups: dict[object, list[LinkedFile]] = {}
    for file in files:
        start = read_start(file).removeprefix(b"\xef\xbb\xbf")
        # With the \r at its end: what ends lines must be the same, or DuckDB takes all rows for one line.
        line = start.partition(b"\n")[0]
        is_plain = line.strip() and b"\r" not in line[:-1] and line[:1] != b"#" and line.count(b'"') % 2 == 0
        groups.setdefault((file.keys, line if is_plain else file.link), []).append(file)
    return list(groups.values())


def _sniff_group(connection: duckdb.DuckDBPyConnection, files: Sequence[LinkedFile]) -> Iterator[_CsvPart]:
    first = _sniff(connection, files[0])
    alike = _sniff_alike(connection, first, files) if len(files) > 1 else first
    yield alike or first
    if alike is None:
        yield from (_sniff(connection, file) for file in files[1:])


def _sniff_alike(
    connection: duckdb.DuckDBPyConnection, first: _CsvPart, files: Sequence[LinkedFile]
) -> _CsvPart | None:
    """Tell the types that hold the values of all files with the header of the first; None if they differ in more.

    An eighth of the time that it takes where DuckDB must find out how each file has its quotes.
    """
    dialect = first.dialect
    is_common = {dialect.quote, dialect.escape} <= {"", QUOTE} and not dialect.comment and not dialect.skip
    if not is_common or not dialect.has_header:
        return None
    part = replace(first, files=files, dialect=replace(dialect, quote=QUOTE, escape=QUOTE))
    try:
        rows = connection.execute(
            f"DESCRIBE FROM read_csv({quote_files(files)}, {', '.join(part.describe_dialect())}, files_to_sniff = -1"
            f"{write_hive(files)})"
        ).fetchall()
    except duckdb.InvalidInputException:
        return None
    columns = {name: kind for name, kind, *_ in rows}
    # How a date is written, only the file that has one tells.
    has_dates = any(kind in _DATED and kind != first.columns.get(name) for name, kind in columns.items())
    return None if has_dates or list(columns) != list(first.columns) else replace(part, columns=columns)


def _sniff(connection: duckdb.DuckDBPyConnection, file: LinkedFile) -> _CsvPart:
    """Find how a file is written, from its first line on; refuse one whose lines have other numbers of fields."""
    lines = decode_start(file).split("\n")
    blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
    # A line that begins with # is a comment only in a file that begins with one.
    options = f", skip = {blank}" + ("" if lines[blank].startswith("#") else ", comment = ''")
    part = _ask(connection, file, options)
    if not part.dialect.has_known_quotes:
        # A field that begins with ' is no quoted one, and '" is no escaped quote: DuckDB would join lines.
        part = _ask_for_quotes(connection, file, options, part)
    if not part.dialect.quote:
        # The first quotes may come later.
        part = replace(part, dialect=replace(part.dialect, quote=QUOTE, escape=QUOTE))
        refuse_cut_off(file, part.dialect.separator)
    names = [name for name in part.columns if not part.is_key(name)]
    if len(names) > 1:
        return part
    if separator := guess_separator(lines[blank]):
        refuse_fields(file, separator)
    freely = _ask(connection, file, "")
    if len(freely.columns) > len(part.columns):
        refuse_odd_line(file, freely.dialect.separator)
    return part


def _ask_for_quotes(
    connection: duckdb.DuckDBPyConnection, file: LinkedFile, options: str, part: _CsvPart
) -> _CsvPart:
    """Ask again with quotes as RFC 4180 has them, unless a file can only be read with backslashes before quotes."""
    if part.dialect.quote == QUOTE and part.dialect.escape == _BACKSLASH:
        usual = replace(part, dialect=replace(part.dialect, escape=QUOTE))
        try:
            connection.execute(f"SELECT count(*) FROM {usual.read()}").fetchall()
        except duckdb.InvalidInputException:
            return part
        return usual
    return _ask(connection, file, f"{options}, quote = '{QUOTE}', escape = '{QUOTE}'")


def _ask(connection: duckdb.DuckDBPyConnection, file: LinkedFile, options: str) -> _CsvPart:
    found = connection.execute(f"FROM sniff_csv({quote_text(file.link)}{options})")
    names = [column[0] for column in found.description or ()]
    told: dict[str, Any] = dict(zip(names, found.fetchone() or (), strict=True))
    marks = {name: "" if told[name] == _EMPTY else str(told[name]) for name in ("Quote", "Escape", "Comment")}
    dialect = _Dialect(
        separator=told["Delimiter"],
        quote=marks["Quote"],
        escape=marks["Escape"],
        line_end=told["NewLineDelimiter"],
        comment=marks["Comment"],
        skip=told["SkipRows"],
        has_header=told["HasHeader"],
        date_format=told["DateFormat"] or "",
        timestamp_format=told["TimestampFormat"] or "",
    )
    part = _CsvPart([file], {column["name"]: column["type"] for column in told["Columns"]}, dialect)
    if not file.keys:
        return part
    rows = connection.execute(f"DESCRIBE FROM {part.read()}").fetchall()
    return replace(part, columns={name: kind for name, kind, *_ in rows})


def _merge(parts: Iterator[_CsvPart]) -> Iterator[_CsvPart]:
    """Put parts together that one call reads."""
    merged: dict[object, _CsvPart] = {}
    for part in parts:
        key = (part.dialect, tuple(part.columns.items()), part.files[0].keys)
        before = merged.get(key)
        merged[key] = replace(part, files=[*before.files, *part.files]) if before else part
    yield from merged.values()


def _name_headerless(parts: Sequence[_CsvPart]) -> Sequence[_CsvPart]:
    """Give files without a header the names of those with one; refuse files that have no name in common."""
    first = next((part for part in parts if part.dialect.has_header), parts[0])
    named = []
    for part in parts:
        if (
            not part.dialect.has_header
            and first.dialect.has_header
            and len(part.columns) == len(first.columns)
        ):
            kinds = part.columns.values()
            part = replace(part, columns=dict(zip(first.columns, kinds, strict=True)))  # noqa: PLW2901 - the same part, with names
        elif not any(first.find(name) for name in part.columns):
            raise WarehouseError(
                f"{part.files[0].name} has no column of {first.files[0].name}: give both the same header, or keep "
                "them in two folders"
            )
        named.append(part)
    return named
