"""Charts as pictures: one Vega-Lite specification each, drawn without network, files or fonts of the machine."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

import vl_convert

from reports_worker.contents import Chart

from .aside import written_aside
from .document import Advance, Document, WrittenFile
from .errors import ChartError

FONTS = Path(__file__).parent / "fonts"
FAMILIES = "Noto Sans, Noto Sans Arabic, Noto Sans SC, Noto Emoji, sans-serif"
MOST_ROWS = 5_000
PNG_SCALE = 2
SVG, PNG = "image/svg+xml", "image/png"
_WIDTH, _HEIGHT = 640, 320
_VEGA_LITE = "6.4"
# What would fetch, follow or load something; data, links and pictures come from nowhere but the rows.
_FORBIDDEN = {"data", "datasets", "url", "href", "usermeta", "$schema", "autosize", "config"}

# Okabe and Ito's colours, which colour-blind readers can tell apart; lighter ones first on dark ground.
_LIGHT_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#3B8FC2", "#5B5B5B"]
_DARK_COLOURS = ["#56B4E9", "#E69F00", "#2BC79B", "#E7A6CB", "#F0E442", "#FF8A4C", "#C9CDD3"]


def write_svg(document: Document, folder: Path, _advance: Advance) -> Iterator[WrittenFile]:
    """Write two files for each chart: for light and for dark ground."""
    for chart in document.charts:
        for is_dark in (False, True):
            begin = monotonic()
            path = folder / f"chart-{chart.name}{'-dark' if is_dark else ''}.svg"
            _write(path, draw_svg(chart, is_dark=is_dark).encode())
            yield _describe(path, "svg", SVG, chart, begin)


def write_png(document: Document, folder: Path, _advance: Advance) -> Iterator[WrittenFile]:
    """Write a file for each chart, of twice as many pixels as it is wide and high."""
    for chart in document.charts:
        begin = monotonic()
        path = folder / f"chart-{chart.name}.png"
        _register_fonts()
        _write(path, vl_convert.svg_to_png(draw_svg(chart), scale=PNG_SCALE))
        yield _describe(path, "png", PNG, chart, begin)


def start_engine() -> None:
    """Start what draws, before it is needed: that takes most of a second, once in a process."""
    _draw(_Drawn(Chart("first", "First", {}, [], []), is_dark=False))


def draw_svg(chart: Chart, *, is_dark: bool = False) -> str:
    """Draw a chart; raise ChartError where it cannot be."""
    return _draw(_Drawn(chart, is_dark))


def build_spec(chart: Chart, *, is_dark: bool = False) -> dict[str, Any]:
    """Complete a chart's specification with its rows, titles and colours; raise ChartError."""
    _check(chart)
    ground = {
        "width": _WIDTH,
        "height": _HEIGHT,
        "title": {"text": chart.title, "subtitle": chart.description or "", "anchor": "start"},
        "config": _config(is_dark=is_dark),
    }
    if not chart.rows:
        nothing = {"type": "text", "text": "No data", "fontSize": 18}
        return ground | {"data": {"values": [{}]}, "mark": nothing, "view": {"stroke": None}}
    names = [column.name for column in chart.columns]
    rows = [dict(zip(names, map(_to_value, row), strict=True)) for row in chart.rows]
    return {**ground, **chart.spec, "data": {"values": rows}}


class _Drawn:
    """A chart on its ground; the same one is drawn once, since page, picture and PDF want it."""

    def __init__(self, chart: Chart, is_dark: bool) -> None:
        self.spec = json.dumps(build_spec(chart, is_dark=is_dark), allow_nan=False)

    def __hash__(self) -> int:
        return hash(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drawn) and self.spec == other.spec


@cache
def _draw(drawn: _Drawn) -> str:
    _register_fonts()
    try:
        return vl_convert.vegalite_to_svg(drawn.spec, vl_version=_VEGA_LITE, allowed_base_urls=[])
    except ValueError as error:
        raise ChartError(f"A chart cannot be drawn: {str(error).splitlines()[0][:300]}") from error


@cache
def _register_fonts() -> None:
    vl_convert.register_font_directory(str(FONTS))


def _check(chart: Chart) -> None:
    if len(chart.rows) > MOST_ROWS:
        raise ChartError(
            f"Chart {chart.name!r} has {len(chart.rows):,} rows, and {MOST_ROWS:,} can be drawn: add them up first."
        )
    if found := next(_find_forbidden(chart.spec), None):
        raise ChartError(
            f"Chart {chart.name!r} has {found!r} in its specification: its rows are its data, and it loads nothing."
        )


def _find_forbidden(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name in _FORBIDDEN or (name in ("mark", "type") and value == "image"):
                yield str(name)
            yield from _find_forbidden(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _find_forbidden(value)


def _to_value(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return float(value) if value.is_finite() else None
        case datetime():
            return value.isoformat()
        case date():
            return f"{value.isoformat()}T00:00:00"  # a day, in whatever zone it is drawn
        case _:
            return str(value)


def _config(*, is_dark: bool) -> dict[str, Any]:
    ground, text, line = ("#1b212b", "#e7ebf2", "#4a5566") if is_dark else ("#ffffff", "#1b2430", "#d8dee9")
    colours = _DARK_COLOURS if is_dark else _LIGHT_COLOURS
    words = {"labelColor": text, "titleColor": text, "labelFontSize": 12, "titleFontSize": 13}
    return {
        "background": ground,
        "font": FAMILIES,
        "padding": 12,
        "axis": words | {"gridColor": line, "domainColor": line, "tickColor": line, "labelLimit": 220},
        "legend": words,
        "title": {
            "color": text,
            "subtitleColor": text,
            "fontSize": 16,
            "subtitleFontSize": 12,
            "limit": _WIDTH,
        },
        "text": {"color": text},
        "view": {"stroke": None},
        "mark": {"color": colours[0]},
        "range": {
            "category": colours,
            "heatmap": {"scheme": "viridis"},
            "ramp": {"scheme": "viridis"},
        },
    }


def _write(path: Path, data: bytes) -> None:
    with written_aside(path) as aside:
        aside.write_bytes(data)


def _describe(path: Path, format_: str, media_type: str, chart: Chart, begin: float) -> WrittenFile:
    count = len(chart.rows)
    return WrittenFile(
        path,
        format_,
        media_type,
        monotonic() - begin,
        chart=chart.name,
        rows_written=count,
        rows_expected=count,
    )


def list_drawn(charts: Sequence[Chart]) -> dict[str, str]:
    """Draw charts for light ground, by file name."""
    return {f"chart-{chart.name}.svg": draw_svg(chart) for chart in charts}
