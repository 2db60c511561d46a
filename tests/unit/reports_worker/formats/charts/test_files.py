"""Charts as pictures, from their one specification."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest

from reports_worker.content.chart_specs import chart_spec
from reports_worker.content.report import Chart
from reports_worker.content.rows import Column, Kind
from reports_worker.formats.charts.pictures import Look, read_charts
from reports_worker.formats.charts.renderer import draw_svg
from reports_worker.formats.charts.vega_spec import DARK_COLOURS, LIGHT_COLOURS, Spec, to_values, write_spec
from reports_worker.formats.errors import ChartError

REGION, REVENUE = Column("region", Kind.TEXT, "Region"), Column("revenue", Kind.DECIMAL, "Revenue", "EUR")
BAR = chart_spec("bar", REVENUE, REGION)
ROWS = [("Europe", Decimal("10.50")), ("中文 Čeština العربية", Decimal(7))]


def make(spec: Mapping[str, Any] = BAR, *, title: str = "Revenue", rows: Any = ROWS) -> Chart:
    return Chart("revenue", title, spec, (REGION, REVENUE), rows)


def draw(chart: Chart) -> str:
    return read_charts([chart])[0].draw(Look.LIGHT).data.decode()


def test_a_picture_has_title_axes_with_units_and_all_rows() -> None:
    text = " ".join(ET.fromstring(draw(make())).itertext())

    for part in ("Revenue", "Revenue (EUR)", "Region", "Europe", "中文 Čeština العربية"):
        assert part in text


def test_a_chart_without_rows_says_so() -> None:
    assert "No data" in draw(make(rows=[]))


def test_titles_are_text_and_never_markup() -> None:
    picture = draw(make(title='<script>alert(1)</script> & ]]> "'))

    names = {element.tag.rpartition("}")[2] for element in ET.fromstring(picture).iter()}
    assert "script" not in names
    assert not names & {"foreignObject", "image", "use", "a"}
    assert "<script>alert(1)</script>" in " ".join(ET.fromstring(picture).itertext())


@pytest.mark.parametrize(
    "spec",
    [
        {**BAR, "data": {"url": "http://example.com/x.json"}},
        {"layer": [{**BAR, "data": {"values": []}}]},
        {**BAR, "mark": "image"},
        {**BAR, "mark": {"type": "image"}},
        {**BAR, "encoding": {**BAR["encoding"], "href": {"field": "region"}}},
        {**BAR, "transform": [{"lookup": "region", "from": {"data": {"url": "x.csv"}, "key": "a"}}]},
    ],
)
def test_a_specification_that_loads_or_links_is_refused(spec: Mapping[str, Any]) -> None:
    with pytest.raises(ChartError, match="a chart loads nothing"):
        write_spec(make(spec), [])


def test_the_renderer_itself_reaches_no_network() -> None:
    asked = list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    spec = f"""{{"mark": "point", "data": {{"url": "http://127.0.0.1:{server.server_port}/x.json"}}}}"""

    with pytest.raises(ChartError):
        draw_svg(Spec(spec))

    server.shutdown()
    server.server_close()
    assert asked == []


def test_a_day_is_drawn_as_that_day_in_every_zone() -> None:
    assert to_values(make(), [(date(2026, 7, 1), 1)]) == [("2026-07-01T00:00:00", 1)]


@pytest.mark.parametrize(("ground", "colours"), [("#ffffff", LIGHT_COLOURS), ("#1b212b", DARK_COLOURS)])
def test_colours_stand_out_from_their_ground(ground: str, colours: list[str]) -> None:
    """Graphics need 3:1 (WCAG 2.2, success criterion 1.4.11)."""
    assert all(contrast(ground, colour) >= 3 for colour in colours)


@pytest.mark.parametrize("colours", [LIGHT_COLOURS, DARK_COLOURS])
def test_colours_that_follow_each_other_differ_for_colour_blind_readers(colours: list[str]) -> None:
    for one, other in pairwise(colours):
        assert sum(abs(a - b) for a, b in zip(as_deuteranope(one), as_deuteranope(other), strict=True)) > 0.15


def channels(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def as_deuteranope(colour: str) -> list[float]:
    """What is left of a colour without green cones (Machado, Oliveira and Fernandes 2009, severity 1)."""
    matrix = (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    )
    return [sum(a * b for a, b in zip(row, channels(colour), strict=True)) for row in matrix]
