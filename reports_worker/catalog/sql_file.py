"""Report types written as SQL: a header in TOML, in comments, then named queries.

-- title = "Refunds"
-- [[parameters]]
-- kind = "period"
-- name = "period"

-- summary
SELECT count(*) AS refunds FROM refunds WHERE day BETWEEN :period_from AND :period_to

-- table: by_reason, Refunds by reason
SELECT reason, sum(amount) AS amount FROM refunds GROUP BY reason
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from reports_worker.content.chart_specs import KINDS, chart_spec
from reports_worker.content.report import MOST_CHART_ROWS, Chart, Contents, Table
from reports_worker.content.rows import Column, Row
from reports_worker.errors import ReportsError
from reports_worker.formats.errors import ChartError
from reports_worker.parameters import DateRange, Parameter, from_data
from reports_worker.report_types.report_type import ReportContext, ReportType
from reports_worker.warehouse.placeholders import find_names
from reports_worker.warehouse.warehouse import Query, Warehouse

from .errors import BrokenFileError

_SECTION = re.compile(r"--\s*(?:(summary)|table:\s*([A-Za-z0-9_]+)\s*(?:,\s*(.*?))?)\s*", re.ASCII)
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
# The keys of a header: the Python type of each value, and its description for error messages.
KEYS: Mapping[str, tuple[type, str]] = {
    "title": (str, "text"),
    "description": (str, "text"),
    "formats": (list, "a list"),
    "dialect": (str, "text"),
    "units": (dict, "a table of texts"),
    "parameters": (list, "written as `-- [[parameters]]` with its fields below"),
    "charts": (list, "written as `-- [[charts]]` with its fields below"),
}
CHART_KEYS = ("table", "kind", "x", "y", "colour", "title", "description")


@dataclass(frozen=True)
class _Section:
    """A query of the file; the summary has no name. `line` is the number of its first line."""

    name: str | None
    title: str
    sql: str
    line: int


def read_sql(name: str, text: str) -> ReportType:
    """Make a report type from the text of a file; raise BrokenFileError, with the line where it is known."""
    header, sections = _split(text)
    facts = _read_header(header)
    parameters = _read_parameters(facts.get("parameters", []))
    is_native = _read_dialect(facts)
    if not sections:
        raise BrokenFileError(
            "The file has no query: write `-- summary` or `-- table: name, Title` above each query."
        )
    for section in sections:
        _check(section, parameters, sections)
    charts = _name_charts([_read_chart(one, sections) for one in facts.get("charts", [])])
    definition = _SqlDefinition(sections, charts, is_native, facts.get("units", {}))
    try:
        return ReportType(
            name,
            facts["title"],
            facts.get("description", ""),
            definition.make,
            parameters=tuple(parameters),
            formats=facts.get("formats"),
        )
    except ReportsError as error:
        raise BrokenFileError(str(error), line=1) from error


@dataclass(frozen=True)
class _SqlDefinition:
    sections: Sequence[_Section]
    charts: Sequence[Mapping[str, Any]]
    is_native: bool
    units: Mapping[str, str]

    def make(self, context: ReportContext) -> Contents:
        warehouse, values = context.warehouse, dict(_spread(context.values))
        summary: dict[str, Any] = {}
        for number, section in enumerate(self.sections):
            if section.name is None:
                context.progress(50 * number // len(self.sections), "counting")
                summary |= self._read_summary(warehouse, section, values)
        charts = []
        for number, chart in enumerate(self.charts):
            context.progress(50 + 50 * number // len(self.charts), f"reading {chart['title']}")
            charts.append(self._draw(warehouse, chart, values))
        tables = tuple(
            Table(section.name, section.title, self._query(warehouse, section, values))
            for section in self.sections
            if section.name
        )
        return Contents(summary, tables=tables, charts=tuple(charts), units=self.units)

    def _query(self, warehouse: Warehouse, section: _Section, values: Mapping[str, Any]) -> Any:
        names = find_names(section.sql, dialect=warehouse.dialect if self.is_native else "duckdb")
        query = Query(section.sql, native=self.is_native)
        return warehouse.query(query, **{name: values[name] for name in names})

    def _read_summary(
        self, warehouse: Warehouse, section: _Section, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        rows = self._query(warehouse, section, values)
        found = [row for batch in rows.batches() for row in batch]
        if len(found) != 1:
            raise ReportsError(
                f"The summary must be one row, and its query (line {section.line}) returned {len(found)} rows."
            )
        return {column.name: value for column, value in zip(rows.columns, found[0], strict=True)}

    def _draw(self, warehouse: Warehouse, chart: Mapping[str, Any], values: Mapping[str, Any]) -> Chart:
        section = next(one for one in self.sections if one.name == chart["table"])
        rows = self._query(warehouse, section, values)
        columns = {column.name: column for column in rows.columns}
        try:
            x, y, colour = (_find_column(columns, chart, name) for name in ("x", "y", "colour"))
        except ChartError as error:
            # Rows that raise fail the chart alone, not the report.
            return Chart(chart["name"], chart["title"], {}, (), map(_raise, [error]))
        shown = [column for column in (x, y, colour) if column]
        places = [list(columns).index(column.name) for column in shown]
        drawn = [tuple(row[place] for place in places) for row in _first(rows.batches())]
        spec = chart_spec(chart["kind"], shown[0], shown[1], colour)
        description = chart.get("description", "")
        return Chart(chart["name"], chart["title"], spec, shown, drawn, description, table=section.name)


def _split(text: str) -> tuple[list[str], list[_Section]]:
    """Split the text into the lines of the header and the queries."""
    header: list[str] = []
    sections: list[tuple[str | None, str, int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _SECTION.fullmatch(line.strip()):
            sections.append(
                (match[2], match[3] or (match[2] or "").replace("_", " ").capitalize(), number + 1, [])
            )
        elif sections:
            sections[-1][3].append(line)
        elif line.strip() and not line.lstrip().startswith("--"):
            raise BrokenFileError(
                "This query has no name: write `-- summary` or `-- table: name` above it.", line=number
            )
        else:
            header.append(line.strip().removeprefix("--"))
    return header, [
        _Section(name, title, "\n".join(lines).strip(), line) for name, title, line, lines in sections
    ]


def _read_header(lines: Sequence[str]) -> dict[str, Any]:
    try:
        facts = tomllib.loads("\n".join(line.removeprefix(" ") for line in lines))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise BrokenFileError(
            f"The header is not valid TOML: {error}", line=int(found[1]) if found else 1
        ) from error
    if not isinstance(facts.get("title"), str) or not facts["title"].strip():
        raise BrokenFileError('The header has no title: write `-- title = "..."` at the top.', line=1)
    for key, value in facts.items():
        if key not in KEYS:
            raise BrokenFileError(
                f"{key!r} is not a key of the header; the keys are {', '.join(KEYS)}.", line=1
            )
        kind, description = KEYS[key]
        if not isinstance(value, kind):
            raise BrokenFileError(f"{key!r} in the header must be {description}.", line=1)
    return facts


def _read_parameters(given: Sequence[Any]) -> list[Parameter]:
    try:
        return [from_data(one) for one in given]
    except ReportsError as error:
        raise BrokenFileError(str(error), line=1) from error


def _read_dialect(facts: Mapping[str, Any]) -> bool:
    """Return whether queries are in the warehouse's own dialect."""
    if facts.get("dialect", "duckdb") != "duckdb":
        raise BrokenFileError(
            "The dialect must be duckdb, which is translated; leave it out for the warehouse's own dialect.",
            line=1,
        )
    return "dialect" not in facts


def _check(section: _Section, parameters: Sequence[Parameter], sections: Sequence[_Section]) -> None:
    if not section.sql.strip(" ;\n"):
        raise BrokenFileError("There is no query below this line.", line=section.line - 1)
    if section.name is not None and not _TABLE_NAME.fullmatch(section.name):
        raise BrokenFileError(
            "A table's name must have only lower-case letters, digits and underscores.", line=section.line - 1
        )
    if sum(one.name == section.name for one in sections) > 1:
        raise BrokenFileError(f"There are two queries {section.name or 'summary'!r}.", line=section.line - 1)
    known = {name for one in parameters for name in _names_of(one)}
    try:
        names = find_names(section.sql, dialect="duckdb")
    except ReportsError as error:
        raise BrokenFileError(str(error), line=section.line) from error
    for name in names:
        if name not in known:
            known_names = f": there are {', '.join(f':{one}' for one in sorted(known))}" if known else ""
            raise BrokenFileError(
                f"The query uses :{name}, which no parameter gives{known_names}.", line=section.line
            )


def _read_chart(given: object, sections: Sequence[_Section]) -> Mapping[str, Any]:
    if not isinstance(given, dict) or any(key not in CHART_KEYS for key in given):
        raise BrokenFileError(f"The keys of a chart are {', '.join(CHART_KEYS)}.", line=1)
    for key in ("table", "kind", "x", "y", "title"):
        if not isinstance(given.get(key), str):
            raise BrokenFileError(f"A chart needs {key} as text.", line=1)
    if given["kind"] not in KINDS:
        raise BrokenFileError(
            f"{given['kind']!r} is not a kind of chart; the kinds are {', '.join(KINDS)}.", line=1
        )
    if not any(one.name == given["table"] for one in sections):
        raise BrokenFileError(f"A chart names the table {given['table']!r}, which does not exist.", line=1)
    return given


def _name_charts(charts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Name each chart after its table and kind, with a number where several charts have the same name."""
    counts = Counter[str]()
    named = list[Mapping[str, Any]]()
    for chart in charts:
        name = f"{chart['table']}_{chart['kind']}"
        counts[name] += 1
        named.append({**chart, "name": name if counts[name] == 1 else f"{name}_{counts[name]}"})
    return named


def _names_of(parameter: Parameter) -> Sequence[str]:
    """Return the names that a query can use: a period gives its first and last day."""
    name = parameter.name
    return (f"{name}_from", f"{name}_to") if parameter.kind == "period" else (name,)


def _spread(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, DateRange):
            yield from ((f"{name}_from", value.first), (f"{name}_to", value.last))
        else:
            yield name, value
            yield from ((f"{name}_from", None), (f"{name}_to", None)) if value is None else ()


def _find_column(columns: Mapping[str, Column], chart: Mapping[str, Any], place: str) -> Column | None:
    name = chart.get(place)
    if name is None:
        return None
    if name not in columns:
        raise ChartError(f"it uses column {name!r}, and its table has the columns {', '.join(columns)}")
    return columns[name]


def _raise(error: Exception) -> NoReturn:
    raise error


def _first(batches: Iterator[Sequence[Row]]) -> Iterator[Row]:
    """Read as many rows as can be drawn, and one more, which shows that rows are left out."""
    left = MOST_CHART_ROWS + 1
    for batch in batches:
        yield from batch[:left]
        left -= len(batch)
        if left <= 0:
            return
