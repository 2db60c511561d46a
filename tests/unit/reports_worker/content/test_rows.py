"""Columns and their headings."""

from __future__ import annotations

from reports_worker.content.chart_specs import chart_spec
from reports_worker.content.rows import Column, Kind, write_heading


def test_a_heading_is_the_title_or_else_the_name_with_the_unit() -> None:
    assert Column("net", Kind.DECIMAL, "Net revenue", "EUR").heading == "Net revenue (EUR)"
    assert Column("net", Kind.DECIMAL, unit="EUR").heading == "net (EUR)"
    assert Column("net", Kind.DECIMAL).heading == "net"
    assert write_heading("Net revenue", "") == "Net revenue"


def test_an_axis_has_the_heading_of_its_column() -> None:
    day, net = Column("day", Kind.DATE, "Day"), Column("net", Kind.DECIMAL, "Net revenue", "EUR")

    encoding = chart_spec("line", day, net)["encoding"]

    assert (encoding["x"]["title"], encoding["y"]["title"]) == (day.heading, net.heading)
