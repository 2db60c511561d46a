"""Report types written as SQL: the content of a file, and its faults."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reports_worker import ReportContext
from reports_worker.catalog.errors import BrokenFileError
from reports_worker.catalog.sql_file import read_sql
from reports_worker.content.report import MOST_CHART_ROWS, Contents
from reports_worker.formats.charts.pictures import read_charts
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse

GOOD = """\
-- title = "Refunds"
-- description = "What went back."
-- units = { amount = "EUR" }
-- [[parameters]]
-- kind = "period"
-- name = "period"
-- default = "last_quarter"
-- [[charts]]
-- table = "by_reason"
-- kind = "bar"
-- x = "amount"
-- y = "reason"
-- title = "Refunds by reason"

-- summary
SELECT count(*) AS refunds FROM refunds WHERE day BETWEEN :period_from AND :period_to

-- table: by_reason, Refunds by reason
SELECT reason, sum(amount) AS amount FROM refunds GROUP BY reason
"""


def test_a_file_declares_title_and_parameters() -> None:
    found = read_sql("refunds", GOOD)

    assert (found.name, found.title, found.description) == ("refunds", "Refunds", "What went back.")
    assert [(one.kind, one.name) for one in found.parameters] == [("period", "period")]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('-- title = "Refunds"', "--", 1, "no title"),
        ('-- title = "Refunds"', "-- title = Refunds", 1, "not valid TOML"),
        ("-- [[charts]]", "-- [charts]", 1, "'charts' in the header must be written as"),
        (
            '-- units = { amount = "EUR" }',
            "-- units = 5",
            1,
            "'units' in the header must be a table of texts",
        ),
        ('-- units = { amount = "EUR" }', "-- formats = 5", 1, "'formats' in the header must be a list"),
        ("-- units =", "-- colour =", 1, "'colour' is not a key of the header"),
        ('kind = "period"', 'kind = "moon"', 1, "moon"),
        (":period_from", ":begin", 16, "uses :begin, which no parameter gives: there are :period_from"),
        ("-- summary\n", "", 15, "This query has no name"),
        ("-- table: by_reason,", "-- table: Reason,", 18, "lower-case letters"),
        ('table = "by_reason"', 'table = "nothing"', 1, "which does not exist"),
        ('kind = "bar"', 'kind = "pie"', 1, "'pie' is not a kind of chart"),
        ('-- x = "amount"\n', "", 1, "needs x"),
        ("SELECT reason, sum(amount) AS amount FROM refunds GROUP BY reason", "", 18, "no query below"),
        ("SELECT reason", "SELECT 'reason", 19, "a quote or a comment has no end"),
    ],
)
def test_a_fault_is_reported_with_its_line(old: str, new: str, line: int, reason: str) -> None:
    assert old in GOOD

    with pytest.raises(BrokenFileError, match=reason) as caught:
        read_sql("refunds", GOOD.replace(old, new, 1))

    assert caught.value.line == line


def make(tmp_path: Path, *charts: tuple[str, str], rows: int) -> Contents:
    """Make a report of a table of x, y and z, with a chart of each kind and column."""
    query = "SELECT range AS x, range * 2 AS y, range * 3 AS z FROM range(ROWS)".replace("ROWS", str(rows))
    head = "".join(
        f"-- [[charts]]\n-- table = 'n'\n-- kind = '{kind}'\n-- x = 'x'\n-- y = '{y}'\n-- title = 'T'\n"
        for kind, y in charts
    )
    found = read_sql("numbers", f'-- title = "Numbers"\n{head}-- table: n\n{query}\n')
    bounds = Bounds(timedelta(minutes=1), 10**9, tmp_path)
    (tmp_path / "tables").mkdir()
    warehouse = open_warehouse(str(tmp_path / "tables"), bounds)

    made = found.make(ReportContext("1", "T", {}, lambda *_: None, open_warehouse=lambda: warehouse))

    warehouse.close()
    assert isinstance(made, Contents)
    return made


def test_charts_of_one_table_and_kind_have_names_of_their_own(tmp_path: Path) -> None:
    made = make(tmp_path, ("line", "y"), ("line", "z"), ("bar", "y"), rows=3)

    assert [chart.name for chart in made.charts] == ["n_line", "n_line_2", "n_bar"]
    assert [list(chart.rows)[1] for chart in made.charts] == [(1, 2), (1, 3), (1, 2)]


def test_a_chart_of_many_rows_has_one_more_than_is_drawn_and_names_its_table(tmp_path: Path) -> None:
    (chart,) = make(tmp_path, ("line", "y"), rows=12_000).charts

    assert len(list(chart.rows)) == MOST_CHART_ROWS + 1
    assert chart.table == "n"


def test_a_chart_with_a_column_that_its_table_does_not_have_fails_alone(tmp_path: Path) -> None:
    charts = read_charts(make(tmp_path, ("line", "y"), ("bar", "w"), rows=3).charts)

    assert [chart.failure for chart in charts] == [
        None,
        "The chart could not be drawn: it uses column 'w', and its table has the columns x, y, z.",
    ]


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(BrokenFileError, match="two queries 'by_reason'"):
        read_sql("refunds", GOOD + "\n-- table: by_reason\nSELECT 1\n")
