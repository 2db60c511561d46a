"""The CSV files of one table: their dialects, and the SELECT that unites them.

The first line of a file sets the number of fields of each line. DuckDB's own sniffer skips lines that differ from most
others, or reads the file as one column; this module refuses such a file.
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

# The number of rows from which DuckDB's sniffer finds the types.
SAMPLE_ROWS = 20_480
# MARK begins the text of an error that a query raises itself; file, column and value follow, separated by BETWEEN.
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
    """The dialect of a file. An empty quote means no quote; `skip` counts the empty lines before the first line."""

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
class _CheckedCast:
    """The cast of a column from text to its type, and the values that it refuses although DuckDB casts them."""

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
    def date_order(self) -> str:
        """The format of dates; empty for ISO 8601."""
        return "" if self._format.startswith(_ISO_DATE) else self._format

    @property
    def _format(self) -> str:
        return {_DATE: self.dialect.date_format, _TIMESTAMP: self.dialect.timestamp_format}.get(self.kind, "")


@dataclass(frozen=True)
class _CsvPart(Part):
    """Files in one dialect.

    `checked` are columns of which DuckDB has not sampled all values: DuckDB would round a fraction among whole numbers,
    and drop the time after a date, or the zone after a time.
    """

    dialect: _Dialect
    checked: Mapping[str, _CheckedCast] = field(default_factory=dict)

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
        """Yield the options of `read_csv` for the dialect."""
        dialect = self.dialect
        yield f"delim = {quote_text(dialect.separator)}"
        yield f"quote = {quote_text(dialect.quote)}"
        yield f"escape = {quote_text(dialect.escape)}"
        yield f"comment = {quote_text(dialect.comment)}"
        yield f"skip = {dialect.skip}"
        yield f"header = {'true' if dialect.has_header else 'false'}"
        yield f"new_line = {quote_text(dialect.line_end)}"

    def typed(self, types: Mapping[str, str]) -> Self:
        """Return the part that reads its columns with these types, and checked columns as text."""
        is_long = self._is_long()
        checked = {
            name: _CheckedCast(types[name], self.dialect)
            for name, kind in self.columns.items()
            if is_long and not self.is_key(name) and _needs_check(kind, types[name])
        }
        columns = {
            name: kind if self.is_key(name) else TEXT if name in checked else types[name]
            for name, kind in self.columns.items()
        }
        return replace(self, columns=columns, checked=checked)

    def write(self, name: str, target: str) -> str:
        if name not in self.checked:
            return super().write(name, target)
        quoted = quote_name(name)
        between = f"|| {quote_text(BETWEEN)} ||"
        fault = (
            f"error({quote_text(MARK)} {between} filename {between} {quote_text(name)} {between} {quoted})"
        )
        checked = self.checked[name]
        return (
            f"CASE WHEN {quoted} IS NULL OR {quoted} = '' THEN NULL WHEN {checked.find_odd(quoted)} THEN {fault} "
            f"ELSE coalesce({checked.cast(quoted, target)}, {fault}) END"
        )

    def _is_long(self) -> bool:
        return any(has_more_rows(file, SAMPLE_ROWS) for file in self.files)


def _unite(kinds: Sequence[str]) -> str | None:
    """Return the common type of numbers; for all other mixes return text."""
    if len(set(kinds)) == 1 or all(map(is_number, kinds)):
        return unite(kinds)
    return TEXT


def _needs_check(kind: str, target: str) -> bool:
    """Return whether DuckDB would silently change values of this type that are not in its sample."""
    return target in _WHOLE or (kind == target and target in (_DATE, _TIMESTAMP))


def _keep_mixed_dates(parts: Sequence[_CsvPart]) -> Sequence[_CsvPart]:
    """Read dates as text where parts have different formats: 02/01 may be a day and a month, or the reverse."""
    orders: dict[str, set[str]] = {}
    for part in parts:
        for name, kind in part.columns.items():
            if kind in (_DATE, _TIMESTAMP):
                orders.setdefault(fold(name), set()).add(_CheckedCast(kind, part.dialect).date_order)
    mixed = {name for name, found in orders.items() if len(found) > 1}
    return [
        replace(
            part, columns={name: TEXT if fold(name) in mixed else kind for name, kind in part.columns.items()}
        )
        for part in parts
    ]


def _group(files: Sequence[LinkedFile]) -> Sequence[Sequence[LinkedFile]]:
    """Group files with the same first line, since this line is most likely the header."""
    groups: dict[object, list[LinkedFile]] = {}
    for file in files:
        start = read_start(file).removeprefix(b"\xef\xbb\xbf")
        # The line keeps the \r at its end: line ends must be the same, or DuckDB reads all rows as one line.
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
    """Find the types for all files with the header and dialect of the first file; None if the files differ in more.

    This takes an eighth of the time of a sniff of each file.
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
    # Only a sniff of the file with a date finds the format of the date.
    has_dates = any(kind in _DATED and kind != first.columns.get(name) for name, kind in columns.items())
    return None if has_dates or list(columns) != list(first.columns) else replace(part, columns=columns)


def _sniff(connection: duckdb.DuckDBPyConnection, file: LinkedFile) -> _CsvPart:
    """Find the dialect of a file from its first line on; refuse a file whose lines have different numbers of fields."""
    lines = decode_start(file).split("\n")
    blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
    # A line that begins with # is a comment only in a file that begins with one.
    options = f", skip = {blank}" + ("" if lines[blank].startswith("#") else ", comment = ''")
    part = _run_sniffer(connection, file, options)
    if not part.dialect.has_known_quotes:
        # A field that begins with ' is not quoted, and '" is not an escaped quote: DuckDB would join lines.
        part = _sniff_with_quotes(connection, file, options, part)
    if not part.dialect.quote:
        # The first quotes may come after the sample.
        part = replace(part, dialect=replace(part.dialect, quote=QUOTE, escape=QUOTE))
        refuse_cut_off(file, part.dialect.separator)
    names = [name for name in part.columns if not part.is_key(name)]
    if len(names) > 1:
        return part
    if separator := guess_separator(lines[blank]):
        refuse_fields(file, separator)
    unrestricted = _run_sniffer(connection, file, "")
    if len(unrestricted.columns) > len(part.columns):
        refuse_odd_line(file, unrestricted.dialect.separator)
    return part


def _sniff_with_quotes(
    connection: duckdb.DuckDBPyConnection, file: LinkedFile, options: str, part: _CsvPart
) -> _CsvPart:
    """Sniff again with the quotes of RFC 4180, unless the file can only be read with backslashes before quotes."""
    if part.dialect.quote == QUOTE and part.dialect.escape == _BACKSLASH:
        usual = replace(part, dialect=replace(part.dialect, escape=QUOTE))
        try:
            connection.execute(f"SELECT count(*) FROM {usual.read()}").fetchall()
        except duckdb.InvalidInputException:
            return part
        return usual
    return _run_sniffer(connection, file, f"{options}, quote = '{QUOTE}', escape = '{QUOTE}'")


def _run_sniffer(connection: duckdb.DuckDBPyConnection, file: LinkedFile, options: str) -> _CsvPart:
    result = connection.execute(f"FROM sniff_csv({quote_text(file.link)}{options})")
    names = [column[0] for column in result.description or ()]
    found: dict[str, Any] = dict(zip(names, result.fetchone() or (), strict=True))
    marks = {
        name: "" if found[name] == _EMPTY else str(found[name]) for name in ("Quote", "Escape", "Comment")
    }
    dialect = _Dialect(
        separator=found["Delimiter"],
        quote=marks["Quote"],
        escape=marks["Escape"],
        line_end=found["NewLineDelimiter"],
        comment=marks["Comment"],
        skip=found["SkipRows"],
        has_header=found["HasHeader"],
        date_format=found["DateFormat"] or "",
        timestamp_format=found["TimestampFormat"] or "",
    )
    part = _CsvPart([file], {column["name"]: column["type"] for column in found["Columns"]}, dialect)
    if not file.keys:
        return part
    rows = connection.execute(f"DESCRIBE FROM {part.read()}").fetchall()
    return replace(part, columns={name: kind for name, kind, *_ in rows})


def _merge(parts: Iterator[_CsvPart]) -> Iterator[_CsvPart]:
    """Merge parts that one call can read."""
    merged: dict[object, _CsvPart] = {}
    for part in parts:
        key = (part.dialect, tuple(part.columns.items()), part.files[0].keys)
        before = merged.get(key)
        merged[key] = replace(part, files=[*before.files, *part.files]) if before else part
    yield from merged.values()


def _name_headerless(parts: Sequence[_CsvPart]) -> Sequence[_CsvPart]:
    """Give files without a header the names of a file with one; refuse files that have no name in common."""
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
                f"{part.files[0].name} has no column of {first.files[0].name}: give both files the same header, or "
                "put them into two folders"
            )
        named.append(part)
    return named
