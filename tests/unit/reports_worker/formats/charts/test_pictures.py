"""Charts that cannot be drawn, or not whole: a sentence says so, and the report goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_worker.content.chart_specs import chart_spec
from reports_worker.content.report import MOST_CHART_ROWS, Chart
from reports_worker.content.rows import Column, Kind
from reports_worker.formats.charts import renderer
from reports_worker.formats.charts.files import write_png, write_svg
from reports_worker.formats.charts.pictures import Look, Picture, read_charts
from reports_worker.formats.charts.placeholder import draw_placeholder
from reports_worker.formats.pdf_file import write_pdf
from reports_worker.lib.valid_text import to_xml
from reports_worker.warehouse.errors import WarehouseTimeoutError
from tests.extent import count_examples
from tests.unit.reports_worker.formats.format_files import describe, ignore

DAY, VALUE = Column("day", Kind.INTEGER), Column("value", Kind.NUMBER)
ANY = st.characters(exclude_categories=())
LINE = chart_spec("line", DAY, VALUE)
# A label with a character that XML forbids, which kills the process that draws it.
DEADLY = {
    "mark": "bar",
    "encoding": {"x": {"field": "day", "type": "ordinal", "axis": {"labelExpr": "'\\u0002'"}}},
}


class Unprintable:
    def __str__(self) -> str:
        raise ValueError("secret")


def read(rows: Any, spec: Any = LINE, **told: Any) -> Picture:
    return read_charts([Chart("c", "Days", spec, [DAY, VALUE], rows, **told)], {"days": 26_115})[0]


def failing() -> Iterator[tuple[int, int]]:
    yield (1, 1)
    raise LookupError("secret")


@pytest.mark.parametrize("expected", [12.0, 2**64, -1, True, "12", Decimal(12)])
def test_a_number_of_rows_that_is_none_costs_the_chart(expected: Any) -> None:
    picture = read([(1, 1)], expected=expected)

    assert picture.failure is not None
    assert "`expected`" in picture.failure
    assert picture.expected is None


def test_a_chart_has_no_more_rows_than_are_expected() -> None:
    assert read([(1, 1), (2, 2)], expected=1).sentence is None
    assert "of 5,001 rows" in (read([(1, 1)] * 5_001, expected=5_000).sentence or "")


def test_two_columns_of_one_name_cost_the_chart() -> None:
    (picture,) = read_charts([Chart("c", "C", LINE, [DAY, DAY], [(1, 1)])])

    assert picture.failure == "The chart could not be drawn: it has two columns named 'day'."


@pytest.mark.parametrize(
    ("rows", "spec", "reason"),
    [
        (
            [(1, 1)],
            {"mark": "nonsense", "encoding": 7},
            "Cannot read properties of undefined (reading 'filled')",
        ),
        ([(1, 1)], {"mark": "bar", "transform": [{"filter": "datum["}]}, "Unexpected end of input"),
        (
            [(1, 1)],
            {**LINE, "data": {"url": "x.csv"}},
            "its specification has 'data', and a chart loads nothing",
        ),
        ([(1, 1)], {**LINE, "x": Decimal(1)}, "its specification is no JSON: Object of type Decimal"),
        ([(1, 1)], None, "its specification cannot be read (TypeError)"),
        ([(1,)], LINE, "a row has 1 values, and there are 2 columns"),
        ([{"day": 1, "value": 1}], LINE, "a row is a dict, and must be a tuple"),
        ([1], LINE, "its rows cannot be read (TypeError)"),
        (7, LINE, "its rows cannot be read (TypeError)"),
        (failing(), LINE, "its rows cannot be read (LookupError)"),
        ([(Unprintable(), 1)], LINE, "column 'day' has a value that cannot be drawn"),
        ([(1, 10**400)], LINE, "column 'value' has a value that cannot be drawn"),
        ([(1, Decimal("1e400"))], LINE, "column 'value' has a value that cannot be drawn"),
    ],
)
def test_a_chart_that_cannot_be_drawn_is_a_sentence_that_says_why(rows: Any, spec: Any, reason: str) -> None:
    picture = read(rows, spec)

    for look in Look:
        drawn = picture.draw(look)
        assert (drawn.failure or "").startswith(f"The chart could not be drawn: {reason}")
        assert "secret" not in (drawn.failure or "")
    assert picture.draw(Look.PNG).data.startswith(b"\x89PNG")
    text = " ".join(ET.fromstring(picture.draw(Look.DARK).data).itertext())
    assert "Days" in text


class PanicException(BaseException):
    """As pyo3 has it, which hands it out to nobody."""


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (RuntimeError("Err(Any)\n\nStack backtrace:\n  0: /root/secret"), "Err(Any)."),
        (PanicException("called `Option::unwrap()`"), "called `Option::unwrap()`."),
        (ValueError(""), "the renderer failed."),
    ],
)
def test_a_renderer_that_fails_in_its_own_ways_costs_the_chart(
    ended: BaseException, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise ended

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", fail)

    assert read([(1, 1)]).draw(Look.LIGHT).failure == f"The chart could not be drawn: {reason}"


def end_late() -> Iterator[tuple[int, int]]:
    yield (1, 1)
    raise WarehouseTimeoutError("It took too long.")


def test_a_warehouse_that_fails_while_rows_are_read_fails_the_report() -> None:
    with pytest.raises(WarehouseTimeoutError):
        read(end_late())


def test_what_kills_the_renderer_costs_the_chart_that_is_drawn_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "0")
    deadly, good = read([(1, 1)], DEADLY), read([(1, 1), (2, 3)])

    for picture in (deadly, good):
        picture.draw_apart([Look.DARK, Look.PNG])

    assert (
        deadly.draw(Look.DARK).failure
        == "The chart could not be drawn: the renderer crashed on it (SIGABRT)."
    )
    assert {look: good.draw(look).failure for look in Look} == dict.fromkeys(Look)
    assert b"<svg" in good.draw(Look.DARK).data
    assert good.draw(Look.PNG).data.startswith(b"\x89PNG")
    assert good.draw(Look.LIGHT).data == read([(1, 1), (2, 3)]).draw(Look.LIGHT).data


def test_what_takes_the_renderer_too_long_costs_the_chart_that_is_drawn_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(renderer, "LONGEST_SECONDS", 0.01)
    picture = read([(1, 1)])

    picture.draw_apart([Look.LIGHT])

    assert picture.failure == "The chart could not be drawn: it took longer than 0.01 s."


def test_the_process_that_draws_ends_with_the_one_that_asked() -> None:
    """It has the kernel see to it, and ends at once where its parent is another already."""
    command = [sys.executable, "-m", renderer.__name__, str(os.getppid())]

    assert subprocess.run(command, input=b"[[], false]", check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("rows", "told", "sentence", "expected"),
    [
        ([(1, 1)] * 3, {}, None, 3),
        ([(1, 1)] * MOST_CHART_ROWS, {"table": "days"}, None, 5_000),
        ([(1, 1)] * 5_001, {"table": "days"}, "The first 5,000 of 26,115 rows are drawn.", 26_115),
        ([(1, 1)] * 5_001, {"table": "unknown"}, "The first 5,000 rows are drawn; there are more.", None),
        ([(1, 1)] * 7_000, {}, "The first 5,000 of 7,000 rows are drawn.", 7_000),
        (((number, 1) for number in count()), {}, "The first 5,000 rows are drawn; there are more.", None),
        (((number, 1) for number in range(3)), {}, None, 3),
        ([(1, 1)] * 10, {"expected": 50}, "10 of 50 rows are drawn.", 50),
        ([(1, 1)] * 10, {"expected": 50, "cut": "The ten best."}, "The ten best.", 50),
        ([(1, 1)] * 10, {"cut": "Without tests."}, "Without tests.", 10),
        (
            [(1, 1)] * 6_000,
            {"expected": 9_000, "cut": "Without tests."},
            "Without tests. The first 5,000 of 9,000 rows are drawn.",
            9_000,
        ),
    ],
)
def test_rows_that_are_left_out_are_counted(
    rows: Any, told: dict[str, Any], sentence: str | None, expected: int | None
) -> None:
    picture = read(rows, **told)

    assert (picture.sentence, picture.expected) == (sentence, expected)
    assert len(picture.rows) == min(MOST_CHART_ROWS, expected or MOST_CHART_ROWS) or "expected" in told


@pytest.mark.parametrize(
    "title",
    [
        None,
        pytest.param("Its own", marks=pytest.mark.wide),
        ["Its", "own"],
        {"text": "Its own", "subtitle": "Below"},
    ],
)
def test_picture_pdf_and_receipts_say_what_is_left_out(tmp_path: Path, title: Any) -> None:
    spec = LINE if title is None else {**LINE, "title": title}
    document = describe(
        charts=[Chart("c", "Days", spec, [DAY, VALUE], [(1, 1), (2, 2)], "By day.", expected=50)]
    )

    files = [*write_svg(document, tmp_path, ignore), *write_png(document, tmp_path, ignore)]
    (pdf,) = write_pdf(document, tmp_path, ignore)

    assert [(file.rows_written, file.rows_expected, file.cut) for file in files] == [
        (2, 50, "Days: 2 of 50 rows are drawn.")
    ] * 3
    assert pdf.cut == "Days: 2 of 50 rows are drawn."
    text = " ".join(ET.parse(tmp_path / "chart-c-dark.svg").getroot().itertext())
    for part in ["2 of 50 rows are drawn.", "By day." if title is None else "own"]:
        assert part in text


@settings(max_examples=count_examples(10, wide=250), deadline=None)
@given(title=st.text(ANY, max_size=200), sentence=st.text(ANY, max_size=700))
def test_a_sentence_in_place_of_a_chart_is_drawn_whatever_it_says(title: str, sentence: str) -> None:
    svg = draw_placeholder(title, sentence)

    shown = "".join("".join(ET.fromstring(svg).itertext()).split())
    assert shown.startswith("".join(to_xml(title).split())[:5])
    assert renderer.draw_png(svg).startswith(b"\x89PNG")
