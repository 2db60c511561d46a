"""CSV files as tables: every row and name is read, or the error names the file and the line."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_worker.warehouse.errors import WarehouseError
from reports_worker.warehouse.warehouse import Warehouse
from tests.extent import count_examples
from tests.unit.reports_worker.warehouse.folders import opened, write_text

NARROW = "".join(f"{number},{number}\n" for number in range(25_000))


def read(folder: Path, sql: str = "SELECT * FROM t") -> tuple[Sequence[str], Sequence[tuple[Any, ...]]]:
    with opened(folder) as warehouse:
        return read_from(warehouse, sql)


def read_from(warehouse: Warehouse, sql: str) -> tuple[Sequence[str], Sequence[tuple[Any, ...]]]:
    rows = warehouse.query(sql)
    return [column.name for column in rows.columns], [row for batch in rows.batches() for row in batch]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("id,amount\n1,10\n2,20\n3,30,note\n4,40,note\n", 4),
        ("id,amount\n3,30,note\n4,40,note\n1,10\n2,20\n", 2),
        ("id,name\n1,Ann\n3,Lee, Jr\n4,Bo\n", 3),
        ("id,amount\n1,10\n3,30,50\n4,4\n5,5\n", 3),
        ("id,amount\n1,10\n3,30\nTotal,,30\n", 4),
        ("id,amount,z\n1,10,1\n2,20\n3,30,1\n", 3),
        ("id,amount,z\n1,10\n2,20\n", 2),
        ("1,10\n2,20\n3,30,4\n", 3),
        ("id;amount\n1;1,5\n2;2,5;x\n", 3),
        ("Report of May\n\nid,amount\n1,10\n", 3),
        ('id,t\n1,"a\nb"\n2,"c","d"\n', 4),
        (f"id,amount\n{NARROW}1,2,3\n", 25_002),
        (f"id,amount\n{NARROW}1\n", 25_002),
        (f"id,amount\n{NARROW[:580]}1,2,3\n{NARROW}", 102),
        (
            "id,amount\n"
            + "".join(f"{n},{n}\n" for n in range(1000))
            + "".join(f"{n},{n},n\n" for n in range(9000)),
            1002,
        ),
    ],
)
def test_a_row_of_another_width_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    write_text(tmp_path / "t.csv", text)
    write_text(tmp_path / "other.csv", "id\n1\n")

    with opened(tmp_path) as warehouse:
        for sql in ("SELECT count(*) FROM t", "SELECT * FROM t", "SELECT max(columns(*)::VARCHAR) FROM t"):
            with pytest.raises(
                WarehouseError, match=rf"'t' cannot be read: line {line} of t\.csv has \d+ field"
            ) as caught:
                warehouse.fetch(sql)
        assert str(tmp_path) not in str(caught.value)
        assert warehouse.fetch("SELECT id FROM other") == [(1,)]


MANY = 21_000  # more rows than DuckDB's sniffer reads


@pytest.mark.parametrize(
    ("late", "value"),
    [
        ('1,"a1"', "a1"),
        ('1,"x ""q"" y"', 'x "q" y'),
        ('1,"x,y"', "x,y"),
        ('1,"x\ny"', "x\ny"),
        ('1,5" pipe', '5" pipe'),
    ],
)
def test_quotes_that_come_late_in_a_file_are_quotes(tmp_path: Path, late: str, value: str) -> None:
    write_text(tmp_path / "t.csv", "id,n\n" + "".join(f"{i + 2},a{i}\n" for i in range(MANY)) + late + "\n")

    assert read(tmp_path, "SELECT n FROM t WHERE id = 1")[1] == [(value,)]


def test_a_late_number_in_quotes_is_a_number(tmp_path: Path) -> None:
    write_text(tmp_path / "t.csv", "id,n\n" + "".join(f"{i},1\n" for i in range(MANY)) + '1,"2"\n')

    assert read(tmp_path, "SELECT sum(n) FROM t")[1] == [(MANY + 2,)]


@pytest.mark.parametrize(
    ("first", "late"),
    [
        ("2024-01-02 10:00:00", "2024-01-05 10:00:00+05:00"),
        ("2024-01-02 10:00:00", "2024-01-05 10:00:00Z"),
        ("2024-01-02", "2024-01-05 10:00:00"),
        ("13/01/2024", "2024-01-14"),
        ("7", "0x10"),
        ("7", "0b11"),
        ("7", "1_000"),
        ("7", "2.5"),
    ],
)
def test_a_late_value_that_is_written_in_another_way_is_refused_with_its_line(
    tmp_path: Path, first: str, late: str
) -> None:
    write_text(tmp_path / "t.csv", "id,n\n" + f"0,{first}\n" * MANY + f"1,{late}\n")

    with pytest.raises(WarehouseError, match=f"line {MANY + 2} of t.csv"):
        read(tmp_path, "SELECT max(n) FROM t")


@pytest.mark.parametrize(
    "value", ["13/01/2024", "2024-01-02", "2024-01-02 10:00:00", "2024-01-02T10:00:00.5", "7"]
)
def test_many_values_of_one_kind_are_read_as_few_are(tmp_path: Path, value: str) -> None:
    write_text(tmp_path / "few.csv", "id,n\n" + f"0,{value}\n" * 3)
    write_text(tmp_path / "many.csv", "id,n\n" + f"0,{value}\n" * MANY + "1,\n")

    with opened(tmp_path) as warehouse:
        few = warehouse.fetch("SELECT max(n), typeof(max(n)), 0 FROM few")
        many = warehouse.fetch("SELECT max(n), typeof(max(n)), count(*) - count(n) - 1 FROM many")
    assert many == few


def test_a_row_that_begins_with_a_number_sign_is_a_row(tmp_path: Path) -> None:
    write_text(tmp_path / "t.csv", "order,n\n" + "".join(f"{i},1\n" for i in range(100)) + "#100,1\n")

    assert read(tmp_path, "SELECT count(*), sum(n) FROM t")[1] == [(101, 101)]


def test_names_that_differ_in_other_letters_than_those_of_ascii_are_two_columns(tmp_path: Path) -> None:
    write_text(tmp_path / "t.csv", "id,Ä,ä,straße,strasse\n1,2,3,4,5\n")
    write_text(tmp_path / "Ärzte.csv", "id\n1\n")

    assert read(tmp_path, 'SELECT "Ä", "ä" + 0 AS other, "straße", "strasse" + 0 AS b FROM T')[1] == [
        (2, 3, 4, 5)
    ]
    assert read(tmp_path, 'SELECT id FROM "Ärzte"')[1] == [(1,)]


def test_days_that_files_write_in_different_orders_stay_text(tmp_path: Path) -> None:
    write_text(tmp_path / "t" / "a.csv", "d,n\n01/13/2024,1\n")
    write_text(tmp_path / "t" / "b.csv", "d,n,z\n02/01/2024,2,3\n")
    write_text(tmp_path / "u" / "a.csv", "d,n\n2024-01-13,1\n")
    write_text(tmp_path / "u" / "b.csv", "d,n,z\n2024-01-02,2,3\n")

    assert read(tmp_path, "SELECT d FROM t ORDER BY n")[1] == [("01/13/2024",), ("02/01/2024",)]
    assert read(tmp_path, "SELECT d FROM u ORDER BY n")[1] == [(date(2024, 1, 13),), (date(2024, 1, 2),)]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("text", ['id,v,name\n1,2,"Ann', 'id,name\n1,"Ann"\n2,"Be', 'name\nLee\n"Ann\n'])
def test_a_file_that_ends_within_quotes_is_refused(tmp_path: Path, name: str, text: str) -> None:
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    else:
        write_text(tmp_path / name, text)

    with pytest.raises(WarehouseError, match=r"is not complete|has 1 field|cannot be read as CSV"):
        read(tmp_path, "SELECT * FROM t")


DIALECTS: Sequence[tuple[str, Sequence[str], Sequence[tuple[object, ...]]]] = [
    ("1,10\n2,20\n", ["column0", "column1"], [(1, 10), (2, 20)]),
    ("\ufeffid,amount\n1,10\n", ["id", "amount"], [(1, 10)]),
    ("id;amount\n1;1,5\n2;2,5\n", ["id", "amount"], [(1, "1,5"), (2, "2,5")]),
    ("id\tt\n1\tx\n", ["id", "t"], [(1, "x")]),
    ('id,t\n1,"a\nb"\n2,"c,d"\n', ["id", "t"], [(1, "a\nb"), (2, "c,d")]),
    ("id,amount,\n1,10,\n2,20,\n", ["id", "amount", "column2"], [(1, 10, None), (2, 20, None)]),
    ("id,amount\n1,10,\n2,20,\n", ["id", "amount"], [(1, 10), (2, 20)]),
    ("id,amount\n1,10\n2,20,\n", ["id", "amount"], [(1, 10), (2, 20)]),
    ("# exported\nid,amount\n1,10\n# x\n2,20\n", ["id", "amount"], [(1, 10), (2, 20)]),
    ("\n\nid,amount\n1,10\n", ["id", "amount"], [(1, 10)]),
    ("id,amount\n1,10\n\n2,20\n\n", ["id", "amount"], [(1, 10), (2, 20)]),
    ("id,amount\r\n1,10\r\n2,20\r\n", ["id", "amount"], [(1, 10), (2, 20)]),
    ("", ["column0"], []),
    ("id,amount\n", ["id", "amount"], []),
    ("id,amount", ["id", "amount"], []),
    ("name\nLee, Jr\nAnn\n", ["name"], [("Lee, Jr",), ("Ann",)]),
    ("n\n1\n\n2\n", ["n"], [(1,), (None,), (2,)]),
    ("id,zip\n1,00700\n2,12345\n", ["id", "zip"], [(1, "00700"), (2, "12345")]),
    ("id,c\n1,#ff0000\n2,#00ff00\n", ["id", "c"], [(1, "#ff0000"), (2, "#00ff00")]),
    ("id,day\n1,13/02/2026\n", ["id", "day"], [(1, date(2026, 2, 13))]),
    ('id,t\n1,5" pipe\n2,x\n', ["id", "t"], [(1, '5" pipe'), (2, "x")]),
    ('a;b\n;";\'"\n;";1"\n', ["a", "b"], [(None, ";'"), (None, ";1")]),
    ('a,b\n"C:\\",1\n"D:\\",2\n', ["a", "b"], [("C:\\", 1), ("D:\\", 2)]),
    ('id,t\n1,"a\\"b"\n2,"c"\n', ["id", "t"], [(1, 'a"b'), (2, "c")]),
]
UNITED: Sequence[tuple[Sequence[str], Sequence[str], Sequence[tuple[object, ...]]]] = [
    (["id,v\n1,10\n", "id,v\n2,20.75\n"], ["id", "v"], [(1, 10.0), (2, 20.75)]),
    (["id,v\n1,1.50\n", "id,v\n2,x\n"], ["id", "v"], [(1, "1.50"), (2, "x")]),
    (["id,v\n1,007\n", "id,v\n2,5\n"], ["id", "v"], [(1, "007"), (2, "5")]),
    (["id,v\n1,true\n", "id,v\n2,5\n"], ["id", "v"], [(1, "true"), (2, "5")]),
    (["id,v\n1,10\n", "id,v,w\n2,20,EUR\n"], ["id", "v", "w"], [(1, 10, None), (2, 20, "EUR")]),
    (["id,v,w\n1,1.50,EUR\n", "W,ID\nx,2\n"], ["id", "v", "w"], [(1, 1.5, "EUR"), (2, None, "x")]),
    (["id,v\n1,1.50\n", "v,id\nx,2\n"], ["id", "v"], [(1, "1.50"), (2, "x")]),
    (["id,v\n1,10\n", "id;v\n2;20\n"], ["id", "v"], [(1, 10), (2, 20)]),
    (["id,v\n1,10\n", 'id,v\n2,"2,5"\n'], ["id", "v"], [(1, "10"), (2, "2,5")]),
    (["id,v\n1,10\n", "id,v\n", ""], ["id", "v"], [(1, 10)]),
    (["", "id,v\n1,10\n"], ["id", "v"], [(1, 10)]),
    (["id,v\n1,10\n", "id,v,w\n"], ["id", "v", "w"], [(1, 10, None)]),
    (["1,10\n", "2,20\n"], ["column0", "column1"], [(1, 10), (2, 20)]),
    (["id,v\n1,10\n", "2,20\n"], ["id", "v"], [(1, 10), (2, 20)]),
    (["id,v\r\n1,10\r\n", "id,v\n2,20\n", "id,v\r\n3,5\r\n"], ["id", "v"], [(1, 10), (2, 20), (3, 5)]),
    (["id,v\n1,\n", "id,v\n2,13/02/2026\n"], ["id", "v"], [(1, None), (2, date(2026, 2, 13))]),
    (
        ["id,v\n1,'t Hooft\n2,'s Jan\n", "id,v\n3,x\n"],
        ["id", "v"],
        [(1, "'t Hooft"), (2, "'s Jan"), (3, "x")],
    ),
    (["id,v\n1,99999999999999999999\n", "v,id\n5,2\n"], ["id", "v"], [(1, 99999999999999999999), (2, 5)]),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """All of them in one warehouse: to open one takes longer than to read such a table."""
    folder = tmp_path_factory.mktemp("tables")
    for place, (text, *_) in enumerate(DIALECTS):
        write_text(folder / f"dialect_{place}.csv", text)
    for place, (texts, *_) in enumerate(UNITED):
        for number, text in enumerate(texts):
            write_text(folder / f"united_{place}" / f"{number}.csv", text)
    with opened(folder) as warehouse:
        yield warehouse


@pytest.mark.parametrize(("place", "case"), [*enumerate(DIALECTS)])
def test_other_dialects_are_read(tables: Warehouse, place: int, case: tuple[str, Any, Any]) -> None:
    _, names, rows = case

    assert read_from(tables, f"FROM dialect_{place}") == (names, rows)


@pytest.mark.parametrize(("place", "case"), [*enumerate(UNITED)])
def test_files_of_one_table_are_united(tables: Warehouse, place: int, case: tuple[Any, Any, Any]) -> None:
    _, names, rows = case

    found = read_from(tables, f"FROM united_{place}")

    assert (found[0], sorted(found[1])) == (names, rows)
    assert [[type(value) for value in row] for row in sorted(found[1])] == [
        [type(v) for v in row] for row in rows
    ]


def test_a_compressed_file_is_united_with_another(tmp_path: Path) -> None:
    write_text(tmp_path / "t" / "a.csv", "id,v\n1,x\n")
    (tmp_path / "t" / "b.CSV.GZ").write_bytes(gzip.compress(b"id,v\n2,y\n"))

    assert sorted(read(tmp_path)[1]) == [(1, "x"), (2, "y")]


def test_the_columns_of_folders_are_there(tmp_path: Path) -> None:
    write_text(tmp_path / "t" / "year=2025" / "a.csv", "id,v\n1,x\n")
    write_text(tmp_path / "t" / "year=2026" / "a.csv", "id,w\n2,y\n")

    assert sorted(read(tmp_path, "SELECT id, v, w, year FROM t")[1]) == [
        (1, "x", None, 2025),
        (2, None, "y", 2026),
    ]


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ("id,v\n1,2,3\n4,5\n", r"line 2 of t/1\.csv has 3 fields, and its first line has 2"),
        ("a,b\n1,2\n", r"t/1\.csv has no column of t/0\.csv"),
        ("v,id\n9007199254740993,1\n", r"'v' is BIGINT in t/1\.csv .*9007199254740993"),
    ],
)
def test_files_that_cannot_be_united_are_refused(tmp_path: Path, second: str, sentence: str) -> None:
    write_text(tmp_path / "t" / "0.csv", "id,v\n1,0.5\n")
    write_text(tmp_path / "t" / "1.csv", second)

    with pytest.raises(WarehouseError, match=sentence) as caught:
        read(tmp_path)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("early", "late"), [("7", "2.5"), ("7", "1e-1"), ("7", "N/A"), ("2026-01-01", "2026-01-01 10:00:00")]
)
def test_a_value_of_another_kind_late_in_a_file_is_refused_with_its_line(
    tmp_path: Path, early: str, late: str
) -> None:
    text = "id,v\n" + "".join(f"{number},{early}\n" for number in range(25_000)) + f"1,{late}\n"
    write_text(tmp_path / "t.csv", text)

    with pytest.raises(WarehouseError, match=rf"line 25002 of t\.csv has '{late}' in column 'v'") as caught:
        read(tmp_path, "SELECT max(v) FROM t")
    assert "types=" not in str(caught.value)
    assert read(tmp_path, "SELECT max(id) FROM t")[1] == [(24_999,)]


def test_whole_numbers_of_a_long_file_stay_whole_numbers(tmp_path: Path) -> None:
    write_text(tmp_path / "t.csv", f"id,v\n{NARROW}9007199254740993,\n-5,-0\n")

    found = read(tmp_path, "SELECT count(*), max(id), min(id), count(v), sum(v) FROM t")[1]
    assert found == [(25_002, 9007199254740993, -5, 25_001, sum(range(25_000)))]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("id,name\n1,José\n".encode("latin-1"), r"line 2 of t\.csv is not UTF-8"),
        (f"id,name\n{NARROW}1,José\n".encode("latin-1"), r"line 25002 of t\.csv is not UTF-8"),
        (
            f'id,name\n1,"x"\n{NARROW}5,"open\n6,x\n'.encode(),
            r"line 25003 of t\.csv has a quote that does not end",
        ),
        (b"id,name\r\n1,10\n2,20\r\n", r"t\.csv cannot be read as CSV"),
        (b"id,name\n1," + b"x" * 3_000_000 + b"\n", r"t\.csv is longer than 2 MB"),
    ],
)
def test_a_file_that_is_not_csv_is_refused_without_a_path_and_without_options(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)

    with pytest.raises(WarehouseError, match=sentence) as caught:
        read(tmp_path)
    for word in (str(tmp_path), "strict_mode", "ignore_errors", "encoding=", "\n", ".tables"):
        assert word not in str(caught.value)


def test_a_broken_gzip_file_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(NARROW.encode())
    for content in (whole[: len(whole) // 2], b"id,v\n1,2\n"):
        (tmp_path / "t.csv.gz").write_bytes(content)
        with pytest.raises(WarehouseError, match=r"'t' cannot be read: t\.csv\.gz is damaged"):
            read(tmp_path)


_FIELDS = st.text("ab1 ,;\"'\n", max_size=5)


@st.composite
def _texts(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a CSV text that Python's csv module wrote, perhaps with an odd line in it; and its separator."""
    separator = draw(st.sampled_from([",", ";"]))
    width = draw(st.integers(2, 4))
    rows = [[f"name {number}" for number in range(width)]]
    rows += draw(st.lists(st.lists(_FIELDS, min_size=width, max_size=width), min_size=1, max_size=6))
    if draw(st.booleans()):
        odd = draw(st.lists(st.text("ab1", min_size=1, max_size=3), min_size=1, max_size=6))
        rows.insert(draw(st.integers(1, len(rows))), odd)
    out = io.StringIO()
    csv.writer(
        out, delimiter=separator, lineterminator="\n", quoting=draw(st.sampled_from([0, 1]))
    ).writerows(rows)
    return out.getvalue(), separator


@settings(max_examples=count_examples(20, wide=1500), deadline=None)
@given(_texts())
def test_a_file_has_the_rows_that_python_reads_or_the_error_names_the_odd_line(
    drawn: tuple[str, str],
) -> None:
    text, separator = drawn
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    found = _read_text(text)

    odd = next((row for row in rows if len(row) != len(rows[0])), None)
    if isinstance(found, str):
        assert odd or "quote" in found or "'" in text, (text, found)
        if " field" in found:
            assert f"line {_line_of(text, separator, len(rows[0]))} of t.csv" in found, (text, found)
    else:
        assert odd is None, (text, found)
        names, values = found[0], found[1:]
        assert list(names) == rows[0]
        assert len(values) == len(rows) - 1, (text, found)
        for there, written in zip(values, rows[1:], strict=True):
            assert all(map(_is_same, there, written)), (there, written)


def _is_same(there: object, written: str) -> bool:
    if there is None or isinstance(there, str):
        return (there or "") == written
    return float(str(there)) == float(written)


def _read_text(text: str) -> Sequence[Sequence[Any]] | str:
    with TemporaryDirectory() as temporary:
        write_text(Path(temporary) / "t.csv", text)
        try:
            names, rows = read(Path(temporary))
        except WarehouseError as error:
            return str(error)
        return [names, *rows]


def _line_of(text: str, separator: str, width: int) -> int:
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    line = 1
    for row in reader:
        if len(row) != width:
            return line
        line = reader.line_num + 1
    raise AssertionError("no odd line")


@st.composite
def _files(draw: st.DrawFn) -> list[tuple[str, list[dict[str, str]]]]:
    """Draw the files of one table, written in different ways, and their rows by name."""
    files = []
    for number in range(draw(st.integers(2, 3))):
        names = ["id", *draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True))]
        values = draw(
            st.sampled_from([st.text("ab1 ,;\n", max_size=4), st.integers(0, 999).map(str), st.just("2.50")])
        )
        rows = [
            {"id": str(10 * number + row), **{name: draw(values) for name in names[1:]}}
            for row in range(draw(st.integers(1, 3)))
        ]
        out = io.StringIO()
        writer = csv.DictWriter(
            out,
            names,
            delimiter=draw(st.sampled_from(",;")),
            lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
            quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        )
        writer.writeheader()
        writer.writerows(rows)
        files.append((out.getvalue(), rows))
    return files


@settings(max_examples=count_examples(12, wide=1000), deadline=None)
@given(_files())
def test_each_row_of_each_file_is_found_again(files: list[tuple[str, list[dict[str, str]]]]) -> None:
    with TemporaryDirectory() as temporary:
        for number, (text, _) in enumerate(files):
            write_text(Path(temporary) / "t" / f"{number}.csv", text)
        names, found = read(Path(temporary))

    written = {row["id"]: row for _, rows in files for row in rows}
    assert len(found) == len(written)
    for values in found:
        there = dict(zip(names, values, strict=True))
        row = written[str(there["id"])]
        assert all(_is_same(value, row.get(name, "")) for name, value in there.items()), (there, row, files)
