"""Names, values and titles of every kind in charts, drawn by the real renderer."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports_worker.content.chart_specs import chart_spec
from reports_worker.content.report import Chart
from reports_worker.content.rows import Column, Kind
from reports_worker.formats.charts.pictures import Look, Picture, read_charts
from reports_worker.formats.charts.renderer import draw_png
from reports_worker.formats.charts.vega_spec import write_spec
from reports_worker.lib.valid_text import to_xml
from tests.extent import count_examples

NAMES = [
    "No.",
    "avg. price",
    "region.name",
    "name [x]",
    "name [x",
    "it's",
    'a "b"',
    'a\\"b',
    "a\\b",
    "a\\",
    "\\u0002",
    "",
    "datum",
    "length",
    "__proto__",
    "constructor",
    "v_end",
    "sum_v",
    "V",
    "c0",
    "two\nlines",
    "a\u2028b",
    "\x02",
    "\0",
    "\ud800",
    "\ufffe",
    "😀" * 100,
    "x" * 2_000,
]
CATEGORIES = [
    *NAMES,
    None,
    "null",
    "undefined",
    "toString",
    "hasOwnProperty",
    "\x03",
    "\x1b[1m",
    "\x7f",
    "\x85",
    "\udfff",
    "\ufffd",
    "\uffff",
    "😀" * 99 + "x",
    "<b>&amp;]]>",
    "\u200f" + "عربي",
]
ANY_CHARACTER = st.characters(exclude_categories=())
TEXTS = st.one_of(
    st.sampled_from(NAMES), st.text(ANY_CHARACTER, max_size=30), st.text(".[]'\"\\_ v", max_size=8)
)
VALUE = Column("v", Kind.NUMBER)


def picture(
    column: Column,
    values: Sequence[Any],
    *,
    spec: Mapping[str, Any] | None = None,
    title: str = "Title",
    description: str = "",
) -> Picture:
    """A chart of one bar for each value, of lengths 1, 2, 3 and so on."""
    rows = [(value, number) for number, value in enumerate(values, 1)]
    spec = spec or chart_spec("bar", VALUE, column)
    (read,) = read_charts([Chart("c", title, spec, (column, VALUE), rows, description)])
    return read


def draw(given: Picture) -> ET.Element:
    drawn = given.draw(Look.LIGHT)
    assert drawn.failure is None
    return ET.fromstring(drawn.data)


def find_bars(svg: ET.Element) -> list[tuple[str, float]]:
    """Each bar: where it lies, and how long it is beside the shortest."""
    paths = [mark.attrib["d"] for mark in svg.iter() if mark.attrib.get("aria-roledescription") == "bar"]
    found = [re.match(r"M([-\d.]+),([-\d.]+)h([-\d.]+)", path) for path in paths]
    return [(bar[2], float(bar[3])) for bar in found if bar]


def has_text(svg: ET.Element, text: str) -> bool:
    """Tell whether it shows this, as XML can hold it; ends of lines are XML's own, and blanks around it nobody's."""
    shown = {(mark.text or "").strip() for mark in svg.iter() if mark.tag.endswith("}text")}
    expected = re.sub("\r\n?", "\n", to_xml(text)).strip()
    return expected in shown or not expected


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_any_name_is_drawn_and_named(name: str) -> None:
    svg = draw(picture(Column(name, Kind.TEXT), ["north", "south"]))

    assert len(find_bars(svg)) == 2
    assert has_text(svg, name)
    assert has_text(svg, "south")


@pytest.mark.parametrize("with_colour", [True, pytest.param(False, marks=pytest.mark.wide)])
def test_each_category_has_a_bar_of_its_own_whatever_text_it_is(with_colour: bool) -> None:
    column = Column("region", Kind.TEXT)
    spec = chart_spec("bar", VALUE, column, column if with_colour else None)

    bars = find_bars(draw(picture(column, CATEGORIES, spec=spec)))

    assert len({place for place, _ in bars}) == len(bars) == len(CATEGORIES)
    assert [length / bars[0][1] for _, length in bars] == pytest.approx(range(1, len(bars) + 1), rel=0.01)


@settings(
    max_examples=count_examples(6, wide=250), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    name=TEXTS.filter(lambda name: name != VALUE.name),
    title=TEXTS,
    unit=TEXTS,
    values=st.lists(TEXTS, min_size=1, max_size=5, unique=True),
    told=TEXTS,
)
def test_whatever_the_texts_are_a_chart_is_drawn(
    name: str, title: str, unit: str, values: list[str], told: str
) -> None:
    svg = draw(picture(Column(name, Kind.TEXT, title, unit), values, title=told, description=told))

    assert len({place for place, _ in find_bars(svg)}) == len(values)
    assert has_text(svg, f"{title or name} ({unit})" if unit else title or name)


def test_what_is_drawn_of_odd_texts_becomes_a_png() -> None:
    categories = [text for text in CATEGORIES if text is None or len(text) < 20]
    svg = picture(Column("a\\b", Kind.TEXT, "\x08"), categories, title="\x02\ud800").draw(Look.LIGHT)

    assert draw_png(svg.data.decode()).startswith(b"\x89PNG")


X, Y = {"field": "v", "type": "quantitative"}, {"field": "No.", "type": "nominal"}
BARS: Mapping[str, Any] = {"mark": "bar", "encoding": {"x": X, "y": Y}}
REPEATED = {"mark": "bar", "encoding": {"x": X, "y": {**Y, "field": {"repeat": "repeat"}}}}


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        (BARS, "No."),
        ({**BARS, "encoding": {"x": X, "y": {**Y, "field": "No\\."}}}, "No\\."),
        ({**BARS, "encoding": {"x": {**X, "aggregate": "sum"}, "y": Y, "color": Y}}, "Sum of v"),
        ({**BARS, "encoding": {"x": X, "y": {**Y, "sort": {"field": "No.", "order": "ascending"}}}}, "No."),
        ({**BARS, "encoding": {"x": X, "y": Y, "tooltip": [Y, X], "detail": [Y]}}, "No."),
        ({**BARS, "transform": [{"filter": {"field": "No.", "oneOf": ["a.", "b."]}}]}, "No."),
        ({**BARS, "transform": [{"filter": "datum['No.'] != 'c'"}]}, "No."),
        (
            {
                **BARS,
                "transform": [{"aggregate": [{"op": "sum", "field": "v", "as": "v"}], "groupby": ["No."]}],
            },
            "No.",
        ),
        ({**BARS, "transform": [{"calculate": "datum['No.'] + '!'", "as": "No."}]}, "No."),
        ({**BARS, "transform": [{"fold": ["No."], "as": ["which", "what"]}]}, "No."),
        ({**BARS, "encoding": {"x": {"aggregate": "distinct", "field": "No."}, "y": Y}}, "Distinct of No."),
        ({"layer": [BARS, {**BARS, "mark": {"type": "text", "opacity": 0}}]}, "No."),
        ({"facet": {"row": Y}, "spec": {"mark": "bar", "encoding": {"x": X}}}, "No."),
        ({"repeat": ["No."], "spec": REPEATED}, "No."),
    ],
)
def test_a_specification_of_ones_own_names_columns_as_they_are(spec: Mapping[str, Any], title: str) -> None:
    svg = draw(picture(Column("No.", Kind.TEXT), ["a.", "b."], spec=spec))

    assert len(find_bars(svg)) == 2
    assert has_text(svg, title)
    assert not has_text(svg, "undefined")


PLAN, PLAN_2025 = Column("plan", Kind.NUMBER), Column("plan_2025", Kind.NUMBER)
FOLDED = {
    "mark": "bar",
    "encoding": {
        "x": {"field": "m", "type": "nominal"},
        "y": {"field": "value", "type": "quantitative"},
        "color": {"field": "key", "scale": {"domain": ["plan", "plan_2025"], "range": ["red", "blue"]}},
    },
}


@pytest.mark.parametrize(
    ("more", "bars", "colours"),
    [
        ([], 2, {"red", "blue"}),
        ([{"filter": "datum.key == 'plan_2025'"}], 1, {"blue"}),
        ([{"filter": {"field": "key", "equal": "plan_2025"}}], 1, {"blue"}),
    ],
)
def test_names_that_a_specification_makes_values_of_are_as_its_author_wrote_them(
    more: Sequence[Any], bars: int, colours: set[str]
) -> None:
    transform: list[Any] = [{"fold": ["plan", "plan_2025"]}, *more]
    spec = {**FOLDED, "transform": transform}
    columns = [Column("m", Kind.TEXT), PLAN, PLAN_2025]
    (read,) = read_charts([Chart("c", "C", spec, columns, [("a", 3, 4)])])

    svg = draw(read)

    assert len(find_bars(svg)) == bars
    picture = read.draw(Look.LIGHT).data.decode()
    assert all(f'fill="{colour}"' in picture for colour in colours)


def test_values_that_a_specification_imputes_are_drawn() -> None:
    spec = {
        "mark": "bar",
        "transform": [
            {"impute": "v_x", "key": "k", "groupby": ["x"], "value": 1},
            {"calculate": "datum.v_x + 1", "as": "more"},
        ],
        "encoding": {"x": {"field": "more", "type": "quantitative"}, "y": {"field": "k", "type": "nominal"}},
    }
    columns = [Column("k", Kind.TEXT), Column("x", Kind.TEXT), Column("v_x", Kind.NUMBER)]
    (read,) = read_charts([Chart("c", "C", spec, columns, [("a", "p", 1), ("b", "q", 1)])])

    assert len(find_bars(draw(read))) == 4


def test_a_name_that_vega_makes_up_itself_is_still_the_column() -> None:
    end, series = Column("v_end", Kind.TEXT), Column("series", Kind.TEXT)
    rows = [("p", 1, "a"), ("q", 1, "b")]
    given = Chart("c", "C", chart_spec("bar", VALUE, end, series), (end, VALUE, series), rows)

    (read,) = read_charts([given])

    assert len({place for place, _ in find_bars(draw(read))}) == 2


def test_nothing_and_an_empty_text_are_stacked_apart() -> None:
    region, series = Column("region", Kind.TEXT), Column("series", Kind.TEXT)
    rows = [(None, 1, "a"), ("", 1, "a")]
    (read,) = read_charts(
        [Chart("c", "C", chart_spec("bar", VALUE, region, series), (region, VALUE, series), rows)]
    )

    drawn = draw(read)

    paths = [mark.attrib["d"] for mark in drawn.iter() if mark.attrib.get("aria-roledescription") == "bar"]
    assert [path.partition(",")[0] for path in paths] == ["M0", "M0"]


def test_more_emoji_than_there_are_stand_ins_of_their_kind_are_drawn() -> None:
    # The last ones are too long for a label, which is cut.
    categories = [chr(0x1F300 + number) * (3 if number < 30 else 30) for number in range(40)]

    svg = draw(picture(Column("kind", Kind.TEXT), categories))

    assert len({place for place, _ in find_bars(svg)}) == 40
    shown = "".join(svg.itertext())
    assert all(category[0] in shown for category in categories)


def test_ordinary_names_and_texts_are_handed_over_as_they_are() -> None:
    column = Column("Umsatz 2026", Kind.TEXT)
    read = picture(column, ["Čeština", "中文", "a.b [c]"])

    assert write_spec(read.given, read.values).shown == {}
