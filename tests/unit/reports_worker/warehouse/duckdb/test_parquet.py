"""Parquet files of one table: united by name and by a type that holds all values, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_worker.content.rows import Kind
from reports_worker.warehouse.errors import WarehouseError
from tests.extent import count_examples
from tests.unit.reports_worker.warehouse.folders import opened, write_parquet


def at(text: str) -> datetime:
    """Read a moment without a zone: times of files are UTC."""
    return datetime.fromisoformat(text)


def fetch(folder: Path, sql: str) -> Sequence[tuple[Any, ...]]:
    with opened(folder) as warehouse:
        return warehouse.fetch(sql)


def write_files(folder: Path, *selects: str, table: str = "sales") -> None:
    for number, select in enumerate(selects, 1):
        write_parquet(folder / table / f"2026-0{number}.parquet", select)


BOTH_ORDERS = ("sales", "turned")


def write_both_orders(folder: Path, first: str, second: str) -> None:
    """Write two tables of two files: with the value of the first type in the first file, and in the second."""
    for table, values in zip(BOTH_ORDERS, [(first, second), (second, first)], strict=True):
        write_files(folder, *(f"SELECT {value} AS v" for value in values), table=table)


def test_a_month_of_whole_numbers_and_one_with_cents_add_up(tmp_path: Path) -> None:
    write_files(
        tmp_path, "SELECT 1 AS id, 10::BIGINT AS v", "SELECT 2 AS id, 20.75::DOUBLE AS v, 'EUR' AS currency"
    )

    assert fetch(tmp_path, "SELECT sum(v) FROM sales") == [(30.75,)]
    assert fetch(tmp_path, "SELECT * FROM sales ORDER BY id") == [(1, 10.0, None), (2, 20.75, "EUR")]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("5::TINYINT", "300::SMALLINT", [5, 300]),
        ("200::UTINYINT", "-5::TINYINT", [-5, 200]),
        ("4000000000::UINTEGER", "-5::INTEGER", [-5, 4000000000]),
        ("18446744073709551615::UBIGINT", "-5::BIGINT", [-5, 18446744073709551615]),
        ("10::INTEGER", "2.5::DOUBLE", [2.5, 10.0]),
        ("16777217::INTEGER", "0.5::FLOAT", [0.5, 16777217.0]),
        ("9007199254740992::BIGINT", "0.5::DOUBLE", [0.5, 9007199254740992.0]),
        ("1.25::DECIMAL(10,2)", "2.3456::DECIMAL(10,4)", [Decimal("1.2500"), Decimal("2.3456")]),
        ("7::BIGINT", "2.50::DECIMAL(10,2)", [Decimal("2.50"), Decimal("7.00")]),
        ("1.25::DECIMAL(10,2)", "2.5::DOUBLE", [1.25, 2.5]),
        ("1.25::DECIMAL(38,2)", "2.5::DOUBLE", [1.25, 2.5]),
        (
            "DATE '2026-01-02'",
            "TIMESTAMP '2026-01-01 15:30'",
            [at("2026-01-01 15:30"), at("2026-01-02")],
        ),
        (
            "TIMESTAMP_MS '2026-01-01 15:30:00.5'",
            "TIMESTAMP '2026-01-01 15:30:00.000001'",
            [at("2026-01-01 15:30:00.000001"), at("2026-01-01 15:30:00.500000")],
        ),
        (
            "TIMESTAMP_NS '2026-01-01 15:30'",
            "TIMESTAMP '2026-01-01 15:31'",
            [at("2026-01-01 15:30"), at("2026-01-01 15:31")],
        ),
        (
            "TIMESTAMPTZ '2026-01-01 15:30+02'",
            "TIMESTAMP '2026-01-01 15:31'",
            [at("2026-01-01 13:30"), at("2026-01-01 15:31")],
        ),
        ("NULL", "'text'", [None, "text"]),
        ("NULL", "DATE '2026-01-01'", [None, date(2026, 1, 1)]),
        ("NULL::DOUBLE", "'text'", [None, "text"]),
        ("NULL::VARCHAR", "7", [None, 7]),
        ("[1]", "[2, 3]", ["[1]", "[2, 3]"]),
    ],
)
def test_two_types_become_one_that_holds_both(
    tmp_path: Path, first: str, second: str, expected: Sequence[object]
) -> None:
    write_both_orders(tmp_path, first, second)
    with opened(tmp_path) as warehouse:
        for table in BOTH_ORDERS:
            values = warehouse.fetch(f"SELECT v FROM {table} ORDER BY v NULLS FIRST")  # noqa: S608 - a constant
            found = [row[0] for row in values]
            assert found == expected
            assert [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("9007199254740993::BIGINT", "0.5::DOUBLE", "BIGINT in .*9007199254740993"),
        ("-9007199254740993::BIGINT", "0.5::FLOAT", "-9007199254740993"),
        ("1234567890123456.78::DECIMAL(38,2)", "0.5::DOUBLE", "1234567890123456.78"),
        ("1::DECIMAL(38,0)", "1::DECIMAL(38,20)", r"DECIMAL\(38,0\) in"),
        ("true", "7", "BOOLEAN in"),
        ("'7'", "7", "VARCHAR in"),
        ("'2026-01-01'", "DATE '2026-01-01'", "DATE in"),
        ("[1]", "['x']", r"INTEGER\[\] in"),
        ("{'a': 1}", "{'a': 1, 'b': 2}", "STRUCT"),
        ("'x'::BLOB", "'x'", "BLOB in"),
        ("TIMESTAMP_NS '2026-01-01'", "TIMESTAMP '3000-01-01'", "3000-01-01"),
        ("TIME '10:00'", "TIMESTAMP '2026-01-01'", "TIME in"),
    ],
)
def test_types_that_no_type_holds_are_refused_with_file_and_column(
    tmp_path: Path, first: str, second: str, named: str
) -> None:
    write_both_orders(tmp_path, first, second)
    with opened(tmp_path) as warehouse:
        for table in BOTH_ORDERS:
            with pytest.raises(WarehouseError, match=named) as caught:
                warehouse.fetch(f"SELECT count(*) FROM {table}")  # noqa: S608 - a constant
            for name in (f"'{table}'", "'v'", "2026-01.parquet", "2026-02.parquet"):
                assert name in str(caught.value)
            assert str(tmp_path) not in str(caught.value)


def test_the_third_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, "SELECT 1 AS v", "SELECT 2.5::DOUBLE AS v", "SELECT 'x' AS v")

    with pytest.raises(WarehouseError, match=r"2026-03\.parquet"):
        fetch(tmp_path, "SELECT v FROM sales")


def test_new_columns_are_kept_and_those_that_are_gone_are_null(tmp_path: Path) -> None:
    write_files(tmp_path, "SELECT 1 AS id, 'a' AS old", "SELECT 'b' AS new, 2 AS ID")

    with opened(tmp_path) as warehouse:
        rows = warehouse.query("SELECT * FROM sales ORDER BY id")
        assert [(column.name, column.kind) for column in rows.columns] == [
            ("id", Kind.INTEGER),
            ("old", Kind.TEXT),
            ("new", Kind.TEXT),
        ]
        assert [*rows.batches()] == [[(1, "a", None), (2, None, "b")]]


def test_two_columns_of_one_name_in_one_of_the_files_are_refused(tmp_path: Path) -> None:
    write_files(tmp_path, "SELECT 1 AS aa, 2 AS ab", "SELECT 3 AS aa")
    path = tmp_path / "sales" / "2026-01.parquet"
    path.write_bytes(path.read_bytes().replace(b"ab", b"AA"))

    with pytest.raises(WarehouseError, match=r"2026-01\.parquet has the columns 'aa' and 'AA'"):
        fetch(tmp_path, "SELECT count(*) FROM sales")


def test_the_columns_of_folders_stay_when_files_differ(tmp_path: Path) -> None:
    sales = tmp_path / "sales"
    write_parquet(sales / "year=2025" / "month=01" / "a.parquet", "SELECT 1 AS id, 10 AS v")
    write_parquet(sales / "year=2026" / "month=02" / "a.parquet", "SELECT 2 AS id, 0.5::DOUBLE AS v")

    assert fetch(tmp_path, "SELECT id, v, year, month FROM sales ORDER BY id") == [
        (1, 10.0, 2025, "01"),
        (2, 0.5, 2026, "02"),
    ]


def test_files_of_one_shape_keep_the_columns_of_their_folders(tmp_path: Path) -> None:
    for year in (2025, 2026):
        write_parquet(tmp_path / "sales" / f"year={year}" / "k=a%20b" / "x.parquet", f"SELECT {year} AS id")

    assert fetch(tmp_path, "SELECT id, year, k FROM sales WHERE year = 2026") == [(2026, 2026, "a b")]


def test_a_file_beside_such_folders_has_null_or_its_own_column(tmp_path: Path) -> None:
    write_parquet(tmp_path / "sales" / "year=2025" / "a.parquet", "SELECT 1 AS id")
    write_parquet(tmp_path / "sales" / "b.parquet", "SELECT 2 AS id")
    assert fetch(tmp_path, "SELECT id, year FROM sales ORDER BY id") == [(1, 2025), (2, None)]

    write_parquet(tmp_path / "sales" / "b.parquet", "SELECT 2 AS id, 1999 AS year")
    assert fetch(tmp_path, "SELECT id, year FROM sales ORDER BY id") == [(1, 2025), (2, 1999)]


def test_values_of_folders_that_disagree_are_text_as_written(tmp_path: Path) -> None:
    write_parquet(tmp_path / "sales" / "k=10" / "a.parquet", "SELECT 1 AS id")
    write_parquet(tmp_path / "sales" / "k=x" / "a.parquet", "SELECT 2 AS id, 'new' AS more")

    assert fetch(tmp_path, "SELECT id, k, more FROM sales ORDER BY id") == [(1, "10", None), (2, "x", "new")]


def test_a_filter_reaches_the_files_of_each_shape(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        "SELECT range AS id, range AS v FROM range(1000)",
        "SELECT range + 1000 AS id, range + 0.5::DOUBLE AS v FROM range(1000)",
    )

    assert fetch(tmp_path, "SELECT count(*), min(v), max(v) FROM sales WHERE v > 998") == [(3, 998.5, 999.5)]


_WHOLE = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(-300, 300)
    | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1])
)
_VALUES: Mapping[str, st.SearchStrategy[str]] = {
    "TINYINT": st.integers(-128, 127).map(str),
    "UINTEGER": st.integers(0, 2**32 - 1).map(str),
    "BIGINT": _WHOLE.map(str),
    "UBIGINT": st.integers(0, 2**64 - 1).map(str),
    "FLOAT": st.floats(width=32, allow_nan=False).map(lambda value: f"'{value!r}'"),
    "DOUBLE": st.floats(allow_nan=False).map(lambda value: f"'{value!r}'"),
    "DECIMAL(10,2)": st.decimals(-99999, 99999, places=2).map(lambda value: f"'{value}'"),
    "DECIMAL(30,8)": st.decimals(-(10**20), 10**20, places=8).map(lambda value: f"'{value}'"),
    "BOOLEAN": st.booleans().map(str),
    "VARCHAR": st.text("abc 1.", max_size=4).map(lambda value: f"'{value}'"),
    "DATE": st.dates(date(1600, 1, 1), date(2400, 1, 1)).map(lambda value: f"'{value}'"),
    "TIMESTAMP": st.datetimes(at("1600-01-01"), at("2400-01-01")).map(lambda value: f"'{value}'"),
    "TIMESTAMP_NS": st.datetimes(at("1700-01-01"), at("2200-01-01")).map(lambda value: f"'{value}'"),
}


@st.composite
def _columns(draw: st.DrawFn) -> Mapping[str, Sequence[str]]:
    """Draw the columns of a file: for each name a few values of one type, as SQL writes them."""
    names = draw(st.lists(st.sampled_from(["a", "b", "C"]), unique=True))
    kinds = {name: draw(st.sampled_from(sorted(_VALUES))) for name in names}
    values = {name: st.none() | _VALUES[kind] for name, kind in kinds.items()}
    return {
        name: [
            f"CAST({'NULL' if value is None else value} AS {kinds[name]})"
            for value in draw(st.lists(values[name], min_size=2, max_size=2))
        ]
        for name in names
    }


@settings(max_examples=count_examples(10, wide=600), deadline=None)
@given(st.lists(_columns(), min_size=2, max_size=3))
def test_each_value_of_each_file_is_found_again_or_its_file_and_column_are_named(
    files: Sequence[Mapping[str, Sequence[str]]],
) -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        expected: dict[int, dict[str, Any]] = {}
        for number, columns in enumerate(files):
            path = folder / "sales" / f"part{number}.parquet"
            rows = [
                ", ".join(
                    [
                        f"{2 * number + row} AS id",
                        *(f"{values[row]} AS {name}" for name, values in columns.items()),
                    ]
                )
                for row in (0, 1)
            ]
            write_parquet(path, " UNION ALL ".join(f"SELECT {row}" for row in rows))
            names = ["id", *(name.lower() for name in columns)]
            for values in duckdb.execute(f"FROM '{path}'").fetchall():
                expected[values[0]] = dict(zip(names, values, strict=True))
        found = _read(folder)
    if isinstance(found, str):
        assert "column '" in found
        assert "part" in found
        return
    assert len(found) == len(expected)
    for row in found:
        for name, value in row.items():
            assert _is_same(value, expected[row["id"]].get(name)), (name, value)


def _read(folder: Path) -> Sequence[Mapping[str, Any]] | str:
    """Return the rows by name, or why there are none."""
    try:
        with opened(folder) as warehouse:
            result = warehouse.query("SELECT * FROM sales")
            names = [column.name.lower() for column in result.columns]
            return [dict(zip(names, row, strict=True)) for batch in result.batches() for row in batch]
    except WarehouseError as error:
        return str(error)


def _is_same(found: Any, written: Any) -> bool:
    if isinstance(found, float) and isinstance(written, Decimal):
        return Decimal(repr(found)) == written
    if isinstance(found, datetime) and not isinstance(written, datetime) and written is not None:
        return found == at(written.isoformat())
    if isinstance(found, float) and isinstance(written, float) and math.isnan(found):
        return math.isnan(written)
    return bool(found == written)
