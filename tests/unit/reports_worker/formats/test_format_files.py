"""What is read in a report's files is what was spooled, whatever reads them, and never a formula."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.small_disk import fill
from reports_worker.content.report import Chart, Table
from reports_worker.content.rows import Column, GivenRows, Kind, Row
from reports_worker.formats.document import Document, WrittenFile
from reports_worker.formats.registry import FORMATS
from reports_worker.formats.spool import open_spool
from reports_worker.formats.xlsx_file import write_xlsx
from tests.extent import count_examples
from tests.needed_tools import small_disk
from tests.unit.reports_worker.formats.format_files import describe, ignore, read_csv, read_xlsx, spool

COLUMNS = [
    Column("name", Kind.TEXT, "Name"),
    Column("pieces", Kind.INTEGER),
    Column("price", Kind.DECIMAL, "Price", "EUR"),
    Column("share", Kind.NUMBER),
    Column("open", Kind.BOOLEAN),
    Column("day", Kind.DATE),
    Column("at", Kind.TIMESTAMP),
]
AT = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
ROWS: list[Row] = [
    ("=1+1", -5, Decimal("-83120.21"), -0.5, True, date(2026, 3, 1), AT),
    ("", 0, Decimal("0.00"), float("nan"), False, date(1900, 3, 1), AT),
    (None,) * 7,
]
DATA_FORMATS = ["csv", "parquet", "xlsx", "json"]
INJECTIONS = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "-5"]


def write(
    name: str, folder: Path, columns: Sequence[Column] = COLUMNS, rows: Sequence[Row] = ROWS, **given: Any
) -> WrittenFile:
    """Write one table in one format."""
    return write_document(name, folder, describe(spool(folder, columns, rows, **given)))


def write_document(name: str, folder: Path, document: Document) -> WrittenFile:
    (file,) = FORMATS[name].write(document, folder, ignore)
    assert file.path.suffix == f".{FORMATS[name].extension}"
    return file


def test_csv_holds_numbers_as_numbers_and_texts_as_texts(tmp_path: Path) -> None:
    file = write("csv", tmp_path)

    assert read_csv(file.path) == [
        ["name", "pieces", "price", "share", "open", "day", "at"],
        ["'=1+1", "-5", "-83120.21", "-0.5", "true", "2026-03-01", "2026-03-01 18:00:00+00"],
        ["", "0", "0.00", "nan", "false", "1900-03-01", "2026-03-01 18:00:00+00"],
        [""] * 7,
    ]
    assert file.path.read_bytes().split(b"\r\n")[2:4] == [
        b'"",0,0.00,nan,false,1900-03-01,2026-03-01 18:00:00+00',
        b",,,,,,",
    ]


def test_a_text_that_would_be_a_formula_has_an_apostrophe_in_csv(tmp_path: Path) -> None:
    columns = [Column(text, Kind.TEXT) for text in INJECTIONS]
    within = [f"a{text}" for text in INJECTIONS]

    file = write("csv", tmp_path, columns, [tuple(INJECTIONS), tuple(within)])

    shown = [f"'{text}" for text in INJECTIONS]
    assert read_csv(file.path) == [shown, shown, within]


def test_csv_keeps_the_order_of_many_rows(tmp_path: Path) -> None:
    rows = [(number, f"={number}") for number in range(130_000)]

    file = write("csv", tmp_path, [Column("n", Kind.INTEGER), Column("text", Kind.TEXT)], rows)

    assert [line[0] for line in read_csv(file.path)[1:]] == [str(number) for number in range(130_000)]


def test_parquet_holds_every_value_and_the_facts_of_its_receipt(tmp_path: Path) -> None:
    file = write("parquet", tmp_path, expected=5, cut="Only the first three.")

    with duckdb.connect() as connection:
        source = f"('{file.path}')"
        rows = connection.execute(f'SELECT * EXCLUDE ("at") FROM read_parquet{source}').fetchall()  # noqa: S608
        facts = {
            key.decode(): value.decode()
            for key, value in connection.execute(
                f"SELECT key, value FROM parquet_kv_metadata{source}"  # noqa: S608
            ).fetchall()
        }
    assert [rows[0], rows[2]] == [ROWS[0][:6], (None,) * 6]
    assert math.isnan(rows[1][3])
    assert facts["title"] == "Sales <b>2026</b>"
    assert json.loads(facts["parameters"]) == {"region": "=north"}
    assert json.loads(facts["column_units"]) == {"price": "EUR"}
    assert (facts["rows_written"], facts["rows_expected"], facts["cut"]) == (
        "3",
        "5",
        "Only the first three.",
    )
    assert (file.rows_written, file.rows_expected, file.cut) == (3, 5, "Only the first three.")


def test_facts_with_quotes_and_nul_are_no_sql(tmp_path: Path) -> None:
    document = describe(spool(tmp_path, COLUMNS, ROWS), title="it's '}; \0 \ud800")

    file = write_document("parquet", tmp_path, document)

    with duckdb.connect() as connection:
        (found,) = connection.execute(
            f"SELECT value FROM parquet_kv_metadata('{file.path}') WHERE key = 'title'::BLOB"  # noqa: S608
        ).fetchall()
    assert found[0].decode() == "it's '}; \ufffd \ufffd"


def test_json_holds_the_whole_report(tmp_path: Path) -> None:
    chart = Chart("c", "C", {}, [Column("x", Kind.NUMBER)], [(float("inf"),), (Decimal("1.50"),)])
    document = describe(spool(tmp_path, COLUMNS, ROWS), charts=[chart])

    report = json.loads(write_document("json", tmp_path, document).path.read_bytes())

    assert (report["title"], report["parameters"]) == ("Sales <b>2026</b>", {"region": "=north"})
    assert report["figures"] == [{"name": "revenue", "title": "Revenue", "value": 12.5, "unit": "EUR"}]
    assert report["charts"][0]["rows"] == [[None], ["1.50"]]
    (table,) = report["tables"]
    assert table["columns"][2] == {"name": "price", "kind": "decimal", "title": "Price", "unit": "EUR"}
    assert table["rows"] == [
        ["=1+1", -5, "-83120.21", -0.5, True, "2026-03-01", "2026-03-01T18:00:00.000000Z"],
        ["", 0, "0.00", None, False, "1900-03-01", "2026-03-01T18:00:00.000000Z"],
        [None] * 7,
    ]


def test_xlsx_holds_values_of_their_kinds(tmp_path: Path) -> None:
    sheets = read_xlsx(write("xlsx", tmp_path).path)

    assert list(sheets) == ["About", "Orders"]
    head, first, second, *rest = sheets["Orders"]
    assert list(head.values()) == ["Name", "pieces", "Price (EUR)", "share", "open", "day", "at"]
    assert list(first.values()) == ["=1+1", -5, -83120.21, -0.5, True, 46082, 46082.75]
    assert second == {"A": "", "B": 0, "C": 0, "E": False, "F": 61, "G": 46082.75}
    assert rest == []


def test_the_first_sheet_says_what_the_workbook_is(tmp_path: Path) -> None:
    file = write("xlsx", tmp_path, expected=5)

    facts = {line["A"]: line.get("B") for line in read_xlsx(file.path)["About"]}
    assert facts["Title"] == "Sales <b>2026</b>"
    assert (facts["Region"], facts["Revenue"], facts["Rows expected"]) == ("=north", 12.5, 5)
    assert facts["Complete"] == "It holds 3 of 5 rows."
    assert file.cut == "Orders: It holds 3 of 5 rows."


def test_a_table_too_long_for_a_sheet_continues_and_says_so(tmp_path: Path) -> None:
    rows = [(number,) for number in range(7)]
    document = describe(spool(tmp_path, [Column("n", Kind.INTEGER)], rows, title="History"))

    (file,) = write_xlsx(document, tmp_path, ignore, sheet_rows=4)

    sheets = read_xlsx(file.path)
    assert list(sheets) == ["About", "History (2)", "History (3)", "History (4)"]
    assert [line["A"] for name in list(sheets)[1:] for line in sheets[name][1:]] == list(range(7))
    assert sheets["History (2)"][0] == {"A": "n", "B": "Continues on sheet 'History (3)'"}
    assert sheets["History (3)"][0]["B"] == "Continued from sheet 'History (2)'"
    assert "so it continues on 2 more" in str(sheets["About"])
    assert file.cut is None


def test_texts_too_long_for_a_cell_are_cut_and_counted(tmp_path: Path) -> None:
    texts = ["a" * 32_767, "b" * 32_768, "\N{GRINNING FACE}" * 16_384, "\u010d" * 32_767]

    file = write("xlsx", tmp_path, [Column("text", Kind.TEXT)], [(text,) for text in texts])

    found = [line["A"] for line in read_xlsx(file.path)["Orders"][1:]]
    assert found == [texts[0], texts[1][:-1], texts[2][:-1], texts[3]]
    assert file.cut is not None
    assert "2 texts are longer than the 32,767 characters" in file.cut


def test_xlsx_writes_as_text_what_excel_would_change(tmp_path: Path) -> None:
    columns = [Column("n", Kind.INTEGER), Column("day", Kind.DATE), Column("share", Kind.NUMBER)]

    file = write(
        "xlsx", tmp_path, columns, [(2**53 + 1, date(1900, 2, 28), float("inf")), (2**53, None, 1.5)]
    )

    assert read_xlsx(file.path)["Orders"][1:] == [
        {"A": str(2**53 + 1), "B": "1900-02-28"},
        {"A": 2**53, "C": 1.5},
    ]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"))
        | st.sampled_from(["<r>a</r>", "_x0041_", "http://a.b", *INJECTIONS]),
        min_size=1,
        max_size=20,
    )
)
@settings(
    max_examples=count_examples(4, wide=80),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_is_the_same_text_in_xlsx_and_json(tmp_path: Path, texts: list[str]) -> None:
    document = describe(spool(tmp_path, [Column("text", Kind.TEXT)], [(text,) for text in texts]))

    found = [line["A"] for line in read_xlsx(write_document("xlsx", tmp_path, document).path)["Orders"][1:]]
    assert found == [text.translate(dict.fromkeys((0, 0xFFFE, 0xFFFF), "\ufffd")) for text in texts]
    report = json.loads(write_document("json", tmp_path, document).path.read_bytes())
    assert report["tables"][0]["rows"] == [[text] for text in texts]


def test_sheets_have_names_that_excel_takes(tmp_path: Path) -> None:
    titles = ["a/b:c*[d]?", "about", "x" * 40, "X" * 31, "'History'", ""]
    tables = [
        spool(tmp_path, COLUMNS, ROWS, name=f"t{place}", title=title) for place, title in enumerate(titles)
    ]

    sheets = list(read_xlsx(write_document("xlsx", tmp_path, describe(*tables)).path))

    assert sheets == ["About", "a b c d", "about (2)", "x" * 31, "X" * 27 + " (2)", "History (2)", "Sheet"]


@pytest.mark.parametrize("name", DATA_FORMATS)
def test_a_table_without_rows_is_a_file(tmp_path: Path, name: str) -> None:
    file = write(name, tmp_path, rows=[])

    assert (file.rows_written, file.rows_expected, file.cut) == (0, 0, None)
    assert file.path.stat().st_size > 0


def test_a_thousand_columns_are_files(tmp_path: Path) -> None:
    columns = [Column(f"c{place}", Kind.NUMBER) for place in range(1000)]
    table = spool(tmp_path, columns, [tuple(range(1000))] * 3)
    assert duckdb.execute("FROM read_parquet(?)", [str(table.path)]).fetchall() == [tuple(range(1000))] * 3

    for name in DATA_FORMATS:
        assert write_document(name, tmp_path, describe(table)).rows_written == 3


@pytest.mark.parametrize("name", DATA_FORMATS)
def test_progress_ends_with_all_rows_and_may_stop_the_writing(tmp_path: Path, name: str) -> None:
    told: list[int] = []
    document = describe(spool(tmp_path, COLUMNS, ROWS))
    list(FORMATS[name].write(document, tmp_path, told.append))
    assert told[-1] == 3

    def stop(rows: int) -> None:
        raise InterruptedError(rows)

    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InterruptedError):
        list(FORMATS[name].write(document, other, stop))
    assert [path.name for path in other.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_is_an_error_of_the_disk_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    rows = [(number, f"text {number * 7919 % 1_000_003} of it") for number in range(30_000)]
    columns = [Column("n", Kind.INTEGER), Column("text", Kind.TEXT)]
    table = Table("orders", "Orders", GivenRows(columns, rows))
    with small_disk(tmp_path / "disk") as disk:
        filler = fill(disk)
        os.truncate(filler, filler.stat().st_size - 65_536)
        for name in DATA_FORMATS:
            with (
                pytest.raises(OSError, match="No space left") as raised,
                open_spool(tmp_path, most_rows=10**6, advance=ignore) as spooled,
            ):
                list(FORMATS[name].write(describe(spooled.add(table)), disk, ignore))
            assert raised.value.errno == errno.ENOSPC
        with (
            pytest.raises(OSError, match="No space left") as raised,
            open_spool(disk, most_rows=10**6, advance=ignore) as spooled,
        ):
            spooled.add(table)
        assert raised.value.errno == errno.ENOSPC
        assert [path.name for path in disk.iterdir() if path != filler] == []
