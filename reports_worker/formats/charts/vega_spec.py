"""A chart's specification, completed: with its rows, titles and colours, and with names that are no paths."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from reports_worker.content.report import Chart
from reports_worker.formats.errors import ChartError
from reports_worker.formats.json_values import JsonForm

from .stand_ins import StandIns, needs_stand_ins

FAMILIES = "Noto Sans, Noto Sans Arabic, Noto Sans SC, Noto Emoji, sans-serif"
WIDTH, HEIGHT = 640, 320
# Keys that would fetch, follow or load something: a chart shows its rows alone.
_FORBIDDEN = {"data", "datasets", "url", "href", "usermeta", "$schema", "autosize", "config"}
# Keys whose values name columns, and the further ones of a transform.
_FIELDS = {"field", "fields", "groupby", "argmin", "argmax", "repeat", "row", "column", "layer"}
_FIELDS_OF_TRANSFORM = {
    "fold", "flatten", "pivot", "density", "regression", "on", "loess", "quantile", "impute", "key", "stack"
}  # fmt: skip
# Keys inside which no title is shown.
_UNTITLED = {"transform", "sort", "filter", "test", "impute"}
_DERIVED = {"aggregate", "bin", "timeUnit"}
# A name that Vega does not read as a path.
_PLAIN = re.compile(r"[^\W\d_][\w -]*")
# The limit of whole numbers in the renderer.
_GREATEST = 2**63

# Okabe and Ito's colours, which colour-blind readers can distinguish; lighter ones for a dark background.
LIGHT_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#3B8FC2", "#5B5B5B"]
DARK_COLOURS = ["#56B4E9", "#E69F00", "#2BC79B", "#E7A6CB", "#F0E442", "#FF8A4C", "#C9CDD3"]

Values = Sequence[Sequence[Any]]


class Spec(NamedTuple):
    """A specification as JSON, and what is to be put back into its picture."""

    text: str
    shown: Mapping[str, str] = {}


class Ground(NamedTuple):
    """The background of a picture, and the colours of its text and lines."""

    ground: str
    text: str
    line: str


def choose_ground(*, is_dark: bool) -> Ground:
    return Ground("#1b212b", "#e7ebf2", "#4a5566") if is_dark else Ground("#ffffff", "#1b2430", "#d8dee9")


def write_spec(chart: Chart, values: Values, *, is_dark: bool = False, sentence: str | None = None) -> Spec:
    """Write a chart's specification over these rows; raise ChartError.

    `sentence` stands below the title: it says which rows are not drawn.
    """
    if found := next(_find_forbidden(chart.spec), None):
        raise ChartError(f"its specification has {found!r}, and a chart loads nothing: its rows are its data")
    names = [column.name for column in chart.columns]
    spec = {**_begin(chart, is_dark=is_dark), **(chart.spec if values else _NOTHING)}
    spec["title"] = _tell(spec["title"], sentence)
    spec["data"] = {"values": [dict(zip(names, row, strict=True)) for row in values] or [{}]}
    text = _to_json(spec)
    if all(map(_PLAIN.fullmatch, names)) and not _find_derived(names) and not needs_stand_ins(text):
        return Spec(text)
    return _write_with_stand_ins(spec, names, values, text)


def to_values(chart: Chart, rows: Sequence[Sequence[Any]]) -> Values:
    """Write rows as values of JSON; raise ChartError."""
    columns = [
        [_to_value(row[place], column.name) for row in rows] for place, column in enumerate(chart.columns)
    ]
    for column in columns:
        if "" in column and None in column:
            # Vega reads both as "" where it stacks.
            column[:] = ["\u200b" if value == "" else value for value in column]
    return list(zip(*columns, strict=True))


def _begin(chart: Chart, *, is_dark: bool) -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "title": {"text": chart.title, "subtitle": chart.description or "", "anchor": "start"},
        "config": _config(is_dark=is_dark),
    }


_NOTHING = {"mark": {"type": "text", "text": "No data", "fontSize": 18}, "view": {"stroke": None}}


def _tell(title: Any, sentence: str | None) -> Any:
    """Add a sentence below a title."""
    if sentence is None:
        return title
    title = dict(title) if isinstance(title, Mapping) else {"text": title or ""}
    before = title.get("subtitle") or []
    return title | {"subtitle": [*([before] if isinstance(before, str) else before), sentence]}


def _to_json(spec: Mapping[str, Any]) -> str:
    try:
        return json.dumps(spec, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ChartError(f"its specification is no JSON: {error}") from error


# -- names of columns


def _write_with_stand_ins(spec: Mapping[str, Any], names: Sequence[str], values: Values, text: str) -> Spec:
    stand_ins = StandIns(text)
    places = {name: place for place, name in enumerate(names)}
    odd = {name for name in names if not _PLAIN.fullmatch(name)} | set(_find_derived(names))
    keys = {name: stand_ins.name_column(places[name], name) for name in odd}
    # A name that a transform creates is no column of the rows.
    paths = keys | {name: _escape(name) for name in _find_made(spec) if name in keys}
    # Also under their own names, which expressions and paths of authors use.
    rows = [
        {**dict(zip(names, row, strict=True)), **{key: row[places[name]] for name, key in keys.items()}}
        for row in values
    ]
    named = {**_name_fields(spec, paths, stand_ins, is_titled=True), "data": {"values": rows or [{}]}}
    return Spec(stand_ins.write(_to_json(named)), stand_ins.shown)


def _find_derived(names: Sequence[str]) -> list[str]:
    """Find names that Vega may derive from another column, such as sum_v and v_end from v."""
    return [
        name
        for name in names
        if any(re.search(rf"(_|^){re.escape(other)}(_|$)", name) for other in names if other != name)
    ]


# Names of columns that a transform makes; `fold` makes values of names, and `impute` values of a column.
_MADE = ("as", "fold", "impute")


def _find_made(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key in _MADE and isinstance(value, (str, list, tuple)):
                yield from [value] if isinstance(value, str) else value
            elif key != "data":
                yield from _find_made(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _find_made(value)


def _name_fields(part: Any, paths: Mapping[str, str], stand_ins: StandIns, *, is_titled: bool) -> Any:
    """Replace names by paths, and keep the names as titles."""
    if isinstance(part, (list, tuple)):
        return [_name_fields(each, paths, stand_ins, is_titled=is_titled) for each in part]
    if not isinstance(part, Mapping):
        return part
    found = {}
    for key, value in part.items():
        if key == "title":
            found[key] = _write_titles(value, stand_ins)
        elif key in _FIELDS and _is_named(value, paths):
            found[key] = _replace(value, paths)
        elif key == "transform":
            found[key] = [_name_in_transform(each, paths, stand_ins) for each in value]
        elif key != "data":
            found[key] = _name_fields(value, paths, stand_ins, is_titled=is_titled and key not in _UNTITLED)
    name = part.get("field")
    if is_titled and isinstance(name, str) and name in paths and not {"title", *_DERIVED} & part.keys():
        found["title"] = stand_ins.write_title(name)
    return found


def _name_in_transform(part: Any, paths: Mapping[str, str], stand_ins: StandIns) -> Any:
    found = _name_fields(part, paths, stand_ins, is_titled=False)
    if isinstance(part, Mapping):
        places = {*_FIELDS_OF_TRANSFORM, *(["value"] if "pivot" in part else [])} & part.keys()
        found |= {key: _replace(part[key], paths) for key in places if _is_named(part[key], paths)}
    return found


def _is_named(value: Any, paths: Mapping[str, str]) -> bool:
    names = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(name, str) and name in paths for name in names)


def _replace(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_replace(each, paths) for each in value]
    return paths.get(value, value) if isinstance(value, str) else value


def _escape(name: str) -> str:
    return re.sub(r"[.\[\]'\"\\]", r"\\\g<0>", name)


def _write_titles(title: Any, stand_ins: StandIns) -> Any:
    if isinstance(title, str):
        return stand_ins.write_title(title)
    if isinstance(title, (list, tuple)):
        return [_write_titles(each, stand_ins) for each in title]
    if isinstance(title, Mapping):
        return {
            key: _write_titles(value, stand_ins) if key in ("text", "subtitle") else value
            for key, value in title.items()
        }
    return title


def _find_forbidden(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name in _FORBIDDEN or (name in ("mark", "type") and value == "image"):
                yield str(name)
            yield from _find_forbidden(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _find_forbidden(value)


# -- values and colours


def _to_value(value: Any, name: str) -> Any:
    try:
        return _VALUE.write(value)
    except Exception as error:  # a value of an author's own class may raise anything
        raise ChartError(f"column {name!r} has a value that cannot be drawn") from error


def _to_number(value: Decimal) -> float:
    """Write a number as JavaScript has it; raise OverflowError for a number that is too large."""
    number = float(value)
    if math.isinf(number):
        raise OverflowError
    return number


def _to_integer(value: int) -> float:
    return value if abs(value) < _GREATEST else float(value)


def _to_day(day: date) -> str:
    """Write a day so that it is the same day in every time zone."""
    return f"{day.isoformat()}T00:00:00"


_VALUE = JsonForm(decimal=_to_number, integer=_to_integer, time=datetime.isoformat, day=_to_day)


def _config(*, is_dark: bool) -> dict[str, Any]:
    ground, text, line = choose_ground(is_dark=is_dark)
    colours = DARK_COLOURS if is_dark else LIGHT_COLOURS
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
            "limit": WIDTH,
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
