"""Common charts as Vega-Lite specifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .rows import Column, Kind

_TYPES = {
    Kind.INTEGER: "quantitative",
    Kind.DECIMAL: "quantitative",
    Kind.NUMBER: "quantitative",
    Kind.DATE: "temporal",
    Kind.TIMESTAMP: "temporal",
}
_MARKS: Mapping[str, Mapping[str, Any]] = {
    "bar": {"type": "bar"},
    "line": {"type": "line", "point": True},
    "area": {"type": "area", "line": True, "opacity": 0.5},
    "heatmap": {"type": "rect"},
}
KINDS = tuple(_MARKS)


def chart_spec(kind: str, x: Column, y: Column, colour: Column | None = None) -> Mapping[str, Any]:
    """Make the specification of a `bar`, `line`, `area` or `heatmap` chart.

    `colour` separates series, or is the value of a heatmap. Bars of texts are horizontal. Raises ValueError.
    """
    if kind not in _MARKS:
        raise ValueError(f"{kind!r} is no kind of chart: {', '.join(KINDS)} are")
    is_heatmap = kind == "heatmap"
    encoding = {"x": _axis(x, is_discrete=is_heatmap), "y": _axis(y, is_discrete=is_heatmap)}
    if kind == "bar":
        for name, column in (("x", x), ("y", y)):
            if column.kind in (Kind.DATE, Kind.TIMESTAMP):
                encoding[name]["type"] = "ordinal"
    if colour is not None:
        encoding["color"] = _axis(colour, is_discrete=False)
    return {"mark": _MARKS[kind], "encoding": encoding}


def _axis(column: Column, *, is_discrete: bool) -> dict[str, Any]:
    kind = _TYPES.get(column.kind, "nominal")
    if is_discrete and kind != "nominal":
        kind = "ordinal"
    axis: dict[str, Any] = {"field": column.name, "type": kind, "title": column.heading}
    return axis | ({"sort": None} if kind == "nominal" else {})
