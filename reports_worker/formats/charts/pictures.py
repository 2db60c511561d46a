"""Charts before they become files. A chart that cannot be drawn affects its own pictures, never the report."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import Any

from reports_worker.content.report import MOST_CHART_ROWS, Chart, is_count
from reports_worker.content.rows import Column, Row
from reports_worker.errors import ReportsError
from reports_worker.formats.errors import ChartError
from reports_worker.lib.valid_text import make_valid

from .placeholder import draw_placeholder
from .renderer import draw_apart, draw_png, draw_svg
from .vega_spec import Spec, Values, to_values, write_spec

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z0-9_]{1,100}")
_LONGEST_NAME = 90


class Look(Enum):
    """How a chart is drawn."""

    LIGHT = "light"
    DARK = "dark"
    PNG = "png"


@dataclass(frozen=True)
class Drawn:
    """A drawn chart; `failure` is the reason if the picture shows a sentence instead."""

    data: bytes
    failure: str | None = None


@dataclass
class Picture:
    """A chart with the rows that are drawn, and its looks, each drawn once.

    `chart` is the chart as files describe it, `given` as its author wrote it; `values` are its rows for the renderer.
    `expected` is the number of rows of the whole chart, None if unknown; `sentence` describes the rows that are not
    drawn, and `failure` is the reason if nothing is drawn.
    """

    chart: Chart
    given: Chart
    rows: Sequence[Row]
    values: Values
    expected: int | None
    sentence: str | None
    failure: str | None = None
    _looks: dict[Look, Drawn] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.chart.name

    @property
    def cut(self) -> str | None:
        """Which rows the picture does not show, with its title; None if it shows all."""
        return self.find_cut(self.failure)

    def find_cut(self, failure: str | None) -> str | None:
        """Describe what one look does not show."""
        sentence = failure or self.sentence
        return sentence and f"{self.chart.title or self.name}: {sentence}"

    def draw(self, look: Look) -> Drawn:
        """Draw the chart, or a sentence in its place."""
        if look is Look.PNG:
            self.draw(Look.LIGHT)  # the PNG is made of this SVG
        if look not in self._looks:
            self._draw([look], lambda: [self._render(look)])
        return self._looks[look]

    def draw_apart(self, looks: Container[Look]) -> None:
        """Draw all these looks in a separate process, which the renderer may crash."""
        svg = [look for look in (Look.LIGHT, Look.DARK) if look in looks or look is Look.LIGHT]
        has_png = Look.PNG in looks
        self._draw(
            [*svg, *([Look.PNG] if has_png else [])],
            lambda: draw_apart([self._write_spec(look) for look in svg], has_png=has_png),
        )

    def _draw(self, looks: Sequence[Look], drawing: Callable[[], Sequence[bytes]]) -> None:
        if self.failure is None:
            try:
                pictures = drawing()
                self._looks |= {look: Drawn(data) for look, data in zip(looks, pictures, strict=True)}
                return
            except ChartError as error:
                self.failure = _describe_failure(str(error))
            except MemoryError:
                raise
            except Exception as error:  # the author's specification may be of any type
                log.exception("chart %r cannot be drawn", self.name)
                self.failure = _describe_failure(f"its specification cannot be read ({type(error).__name__})")
            log.warning("chart %r: %s", self.name, self.failure)
        for look in looks:
            text = draw_placeholder(self.chart.title, self.failure, is_dark=look is Look.DARK)
            self._looks[look] = Drawn(draw_png(text) if look is Look.PNG else text.encode(), self.failure)

    def _render(self, look: Look) -> bytes:
        if look is Look.PNG:
            return draw_png(self._looks[Look.LIGHT].data.decode())
        return draw_svg(self._write_spec(look)).encode()

    def _write_spec(self, look: Look) -> Spec:
        return write_spec(self.given, self.values, is_dark=look is Look.DARK, sentence=self.sentence)


def read_charts(charts: Iterable[Chart], tables: Mapping[str, int] | None = None) -> list[Picture]:
    """Read the rows of all charts, each under a unique name that is valid for a file.

    `tables` has the number of rows of the report's tables, by name. Raises the errors of the warehouse.
    """
    taken: set[str] = set()
    return [_read(chart, _choose_name(str(chart.name), taken), tables or {}) for chart in charts]


def _choose_name(name: str, taken: set[str]) -> str:
    base = name
    if not _NAME.fullmatch(name):
        base = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:_LONGEST_NAME] or "chart"
    found, number = base, 2
    while found in taken:
        found, number = f"{base[:_LONGEST_NAME]}_{number}", number + 1
    taken.add(found)
    return found


def _read(chart: Chart, name: str, tables: Mapping[str, int]) -> Picture:
    described = replace(
        chart,
        name=name,
        title=_mend(chart.title),
        description=_mend(chart.description),
        columns=[_mend_column(column) for column in chart.columns],
        cut=_mend(chart.cut),
    )
    try:
        _check(chart)
        found = list(_read_rows(chart))
        rows = found[:MOST_CHART_ROWS]
        values = to_values(chart, rows)
    except ChartError as error:
        log.warning("chart %r: %s", name, error)
        return Picture(described, chart, [], [], None, None, failure=_describe_failure(str(error)))
    expected = _count_expected(chart, len(found), tables)
    sentence = " ".join(_describe_left_out(described, len(rows), expected, has_more=len(found) > len(rows)))
    mended = [tuple(map(_mend, row)) for row in rows]
    return Picture(described, chart, mended, values, expected, sentence or None)


def _check(chart: Chart) -> None:
    names = [column.name for column in chart.columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ChartError(f"it has two columns named {twice!r}")
    if chart.expected is not None and not is_count(chart.expected):
        raise ChartError(f"its `expected` is {chart.expected!r:.50}, and must be a whole number of rows")


def _read_rows(chart: Chart) -> Iterator[Row]:
    """Read as many rows as can be drawn, and one more, which shows that there are more."""
    width = len(chart.columns)
    try:
        for row in islice(iter(chart.rows), MOST_CHART_ROWS + 1):
            if isinstance(row, (str, bytes, Mapping)):
                raise ChartError(f"a row is a {type(row).__name__}, and must be a tuple")
            values = tuple(row)
            if len(values) != width:
                raise ChartError(f"a row has {len(values)} values, and there are {width} columns")
            yield values
    except (ReportsError, MemoryError):
        raise
    except Exception as error:  # rows of an author may raise anything
        log.exception("the rows of chart %r cannot be read", chart.name)
        raise ChartError(f"its rows cannot be read ({type(error).__name__})") from error


def _count_expected(chart: Chart, found: int, tables: Mapping[str, int]) -> int | None:
    """Count the rows of the whole chart, if possible."""
    if chart.expected is not None or found <= MOST_CHART_ROWS:
        return found if chart.expected is None else max(chart.expected, found)
    if chart.table is not None:
        rows = tables.get(chart.table, 0)
        return rows if rows > MOST_CHART_ROWS else None
    return len(chart.rows) if isinstance(chart.rows, Sized) else None


def _describe_left_out(chart: Chart, drawn: int, expected: int | None, *, has_more: bool) -> Iterator[str]:
    if chart.cut:
        yield chart.cut
    if expected is None:
        yield f"The first {drawn:,} rows are drawn; there are more."
    elif has_more:
        yield f"The first {drawn:,} of {expected:,} rows are drawn."
    elif drawn != expected and not chart.cut:
        yield f"{drawn:,} of {expected:,} rows are drawn."


def _describe_failure(reason: str) -> str:
    return f"The chart could not be drawn: {reason.rstrip('.')}."


def _mend_column(column: Column) -> Column:
    return replace(column, name=_mend(column.name), title=_mend(column.title), unit=_mend(column.unit))


def _mend(value: Any) -> Any:
    return make_valid(value) if isinstance(value, str) and not value.isascii() else value
