"""Rows that are spooled come out as they went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports_worker.content.report import Table
from reports_worker.content.rows import Batch, Column, GivenRows, Kind
from reports_worker.formats.errors import TooManyRowsError, UnfitRowsError
from reports_worker.formats.parquet_database import read_first
from reports_worker.formats.spool import open_spool
from tests.extent import count_examples
from tests.unit.reports_worker.formats.format_files import ignore, spool

A_TEXT = Column("text", Kind.TEXT)


@cache
def reader() -> duckdb.DuckDBPyConnection:
    """One connection for all files that are read: to make one takes as long as to spool a table."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def read(path: Path, sql: str = "*") -> list[tuple[Any, ...]]:
    return reader().execute(f"SELECT {sql} FROM read_parquet('{path}')").fetchall()  # noqa: S608


def read_types(path: Path) -> list[str]:
    return [row[1] for row in reader().execute(f"DESCRIBE FROM read_parquet('{path}')").fetchall()]


VALUES = st.tuples(
    st.none() | st.text(st.characters(codec="utf-8")),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.decimals(-(10**18), 10**18, allow_nan=False, places=9),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.booleans(),
    st.none() | st.dates(),
    st.none() | st.datetimes(),
)
KINDS = (Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP)
COLUMNS = [Column(f"c{place}", kind) for place, kind in enumerate(KINDS)]


@given(st.lists(VALUES, max_size=20))
@settings(
    max_examples=count_examples(4, wide=80),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_value_comes_out_as_it_went_in(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    table = spool(tmp_path, COLUMNS, rows)

    assert read(table.path) == rows
    assert table.rows == len(rows)


def test_nothing_and_an_empty_text_and_nan_stay_apart(tmp_path: Path) -> None:
    table = spool(tmp_path, [A_TEXT], [(None,), ("",), ("NaN",), ("NULL",), ("\\N",), ("a\0b\r\n",)])

    assert read(table.path) == [(None,), ("",), ("NaN",), ("NULL",), ("\\N",), ("a\0b\r\n",)]


def test_what_no_utf_8_can_hold_is_replaced(tmp_path: Path) -> None:
    table = spool(tmp_path, [A_TEXT], [("before",), ("a\ud800b",)])

    assert read(table.path) == [("before",), ("a\ufffdb",)]


@pytest.mark.parametrize(
    ("values", "kind", "type_"),
    [
        ([2**63 - 1, -(2**63)], "integer", "BIGINT"),
        ([10**18 - 1], "integer", "BIGINT"),
        ([2**63, 10**37], "integer", "DECIMAL(38,0)"),
        ([2**127 - 1], "text", "VARCHAR"),
    ],
)
def test_big_integers_are_exact(tmp_path: Path, values: list[int], kind: str, type_: str) -> None:
    table = spool(tmp_path, [Column("n", Kind.INTEGER)], [(value,) for value in values])

    assert [str(row[0]) for row in read(table.path)] == list(map(str, values))
    assert (table.columns[0].kind, read_types(table.path)) == (kind, [type_])


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1.10", "-0.005"], "DECIMAL(18,3)"),
        (["12345678901234567890.5"], "DECIMAL(38,1)"),
        (["1E+3", None], "DECIMAL(18,0)"),
        ([f"{'7' * 50}.5"], "VARCHAR"),
        (["1.5", "NaN"], "VARCHAR"),
        ([None], "DECIMAL(18,0)"),
    ],
)
def test_decimals_are_exact_and_are_text_where_no_decimal_holds_them(
    tmp_path: Path, values: list[str | None], type_: str
) -> None:
    given_rows = [(None if value is None else Decimal(value),) for value in values]

    table = spool(tmp_path, [Column("n", Kind.DECIMAL)], given_rows)

    assert read_types(table.path) == [type_]
    found = [None if row[0] is None else Decimal(row[0]) for row in read(table.path)]
    assert found == [row[0] for row in given_rows] or values[-1] == "NaN"


def test_all_digits_of_a_decimal_of_fifty_are_there(tmp_path: Path) -> None:
    table = spool(tmp_path, [Column("n", Kind.DECIMAL)], [(Decimal("7" * 50 + ".5"),)])

    assert read(table.path) == [("7" * 50 + ".5",)]


def test_times_keep_their_instant_and_whether_they_have_a_zone(tmp_path: Path) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    columns = [Column("zoned", Kind.TIMESTAMP), Column("plain", Kind.TIMESTAMP)]

    table = spool(
        tmp_path,
        columns,
        [(None, None), (datetime(2026, 1, 1, 5, 30, tzinfo=india), datetime(2026, 1, 1, 5, 30, 0, 1))],  # noqa: DTZ001
    )

    assert read_types(table.path) == ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP"]
    assert read(table.path, "epoch_us(zoned), plain")[1] == (
        int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6),
        datetime(2026, 1, 1, 5, 30, 0, 1),  # noqa: DTZ001
    )


def test_rows_of_several_parts_keep_their_order(tmp_path: Path) -> None:
    rows = [(number, f"row {number}") for number in range(130_000)]

    table = spool(tmp_path, [Column("n", Kind.INTEGER), A_TEXT], rows)

    assert read(table.path) == rows
    assert [path.name for path in tmp_path.iterdir()] == ["orders.spool.parquet"]


def test_no_rows_are_a_table(tmp_path: Path) -> None:
    assert read(spool(tmp_path, [A_TEXT], []).path) == []


def test_columns_of_one_name_are_told_apart_and_have_the_tables_titles(tmp_path: Path) -> None:
    columns = [Column("id", Kind.INTEGER), Column("ID", Kind.INTEGER), Column("", Kind.TEXT, unit="EUR")]

    told = [Column("id", Kind.TEXT, "Number", "pieces")]
    with open_spool(tmp_path, most_rows=9, advance=ignore) as spooled:
        table = spooled.add(Table("t", "T", GivenRows(columns, [(1, 2, "x")]), told))

    assert [column.name for column in table.columns] == ["id", "ID_2", "column_3"]
    assert (table.columns[0].title, table.columns[0].unit) == ("Number", "pieces")
    assert table.columns[0].kind is Kind.INTEGER
    assert read(table.path) == [(1, 2, "x")]


def test_more_rows_than_allowed_end_it_with_the_numbers(tmp_path: Path) -> None:
    with pytest.raises(TooManyRowsError, match=r"more than the 3 rows .*REPORTS_MAX_ROWS.* 4 had been read"):
        spool(tmp_path, [A_TEXT], [("x",)] * 4, most_rows=3)

    assert list(tmp_path.iterdir()) == []


def test_rows_of_all_tables_count_together(tmp_path: Path) -> None:
    told: list[int] = []
    with open_spool(tmp_path, most_rows=5, advance=told.append) as spooled:
        spooled.add(Table("one", "One", GivenRows([A_TEXT], [("x",)] * 3)))
        with pytest.raises(TooManyRowsError):
            spooled.add(Table("two", "Two", GivenRows([A_TEXT], [("x",)] * 3)))

    assert told == [3]


@pytest.mark.parametrize("name", ["../x", "", "A", "a" * 65, "a b"])
def test_a_table_of_an_unsafe_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnfitRowsError, match="cannot be the name of a table"):
        spool(tmp_path, [A_TEXT], [], name=name)


@pytest.mark.parametrize("expected", [12.0, -1, True, 2**64, "12"])
def test_a_table_whose_number_of_rows_is_none_is_refused(tmp_path: Path, expected: Any) -> None:
    table = Table("orders", "Orders", GivenRows([A_TEXT], []), expected=expected)

    with (
        open_spool(tmp_path, most_rows=10, advance=ignore) as opened,
        pytest.raises(UnfitRowsError, match="`expected`"),
    ):
        opened.add(table)


def test_a_table_without_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitRowsError, match="no columns"):
        spool(tmp_path, [], [()])


def test_a_value_that_is_not_what_its_column_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitRowsError, match="'orders' does not fit"):
        spool(tmp_path, [Column("day", Kind.DATE)], [("no day",)])


@pytest.mark.parametrize("row", [(), (1,), (1, "x", 2)])
def test_a_row_with_other_values_than_there_are_columns_is_refused(
    tmp_path: Path, row: tuple[Any, ...]
) -> None:
    with pytest.raises(UnfitRowsError, match=f"it has {len(row)} values, and there are 2 columns"):
        spool(tmp_path, [Column("n", Kind.INTEGER), A_TEXT], [(0, "w"), row])


@pytest.mark.parametrize("value", [1.5, float("nan"), Decimal("1.5"), Decimal("NaN"), "1.5", "one"])
def test_what_is_no_whole_number_is_not_rounded_to_one(tmp_path: Path, value: object) -> None:
    with pytest.raises(UnfitRowsError, match=r"'n' holds whole numbers, and (1\.5|nan|NaN|one) is none"):
        spool(tmp_path, [A_TEXT, Column("n", Kind.INTEGER)], [("x", 1), ("y", value)])


def test_whole_numbers_of_other_kinds_are_taken(tmp_path: Path) -> None:
    rows = [(2.0,), (Decimal("3.00"),), ("-4",), (None,), (5,)]

    assert read(spool(tmp_path, [Column("n", Kind.INTEGER)], rows).path) == [(2,), (3,), (-4,), (None,), (5,)]


def test_first_rows_are_read_with_times_in_utc(tmp_path: Path) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    columns = [Column("at", Kind.TIMESTAMP), Column("n", Kind.INTEGER)]
    rows = [(datetime(2026, 1, 1, 5, 30, tzinfo=india), number) for number in range(3)]

    first = read_first(spool(tmp_path, columns, rows), 2)

    assert first == [(datetime(2026, 1, 1), 0), (datetime(2026, 1, 1), 1)]  # noqa: DTZ001


class _FromEngine:
    """Rows that an engine writes itself."""

    columns = (Column("day", Kind.DATE),)

    def batches(self) -> Iterator[Batch]:
        raise AssertionError("the engine writes its rows itself")

    def write_parquet(self, path: Path, most_rows: int) -> int:
        with duckdb.connect() as connection:
            rows = f"SELECT DATE '2026-01-01' + i::INT AS day FROM range(least(10, {most_rows})) t(i)"  # noqa: S608
            connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
        return min(10, most_rows)


def test_an_engine_that_writes_parquet_writes_it(tmp_path: Path) -> None:
    with open_spool(tmp_path, most_rows=10, advance=ignore) as spooled:
        table = spooled.add(Table("days", "Days", _FromEngine()))

    assert (table.rows, read(table.path)[0]) == (10, (date(2026, 1, 1),))


def test_an_engine_that_writes_more_than_allowed_is_too_large(tmp_path: Path) -> None:
    with (
        open_spool(tmp_path, most_rows=9, advance=ignore) as spooled,
        pytest.raises(TooManyRowsError, match="10 had been read"),
    ):
        spooled.add(Table("days", "Days", _FromEngine()))


def test_a_spooled_table_leaves_no_rows_in_the_database(tmp_path: Path) -> None:
    table = spool(tmp_path, [A_TEXT], [("x" * 1000,)] * 2_000)

    assert table.database.execute("SELECT table_name FROM duckdb_tables()").fetchall() == []
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {table.path.name}
