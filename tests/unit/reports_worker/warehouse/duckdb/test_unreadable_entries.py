"""An unreadable entry of a folder fails the queries that read it, and no other query."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from reports_worker.warehouse.errors import WarehouseError, WarehouseUnavailableError
from tests.unit.reports_worker.warehouse.folders import opened, write_parquet, write_text


def write_latin(folder: Path) -> None:
    (folder / "bad.csv").write_bytes("id,name\n1,José".encode("latin-1"))


def write_half(folder: Path) -> None:
    write_parquet(folder / "bad.parquet", "SELECT range AS id FROM range(1000)")
    os.truncate(folder / "bad.parquet", 1000)


def write_four_bytes(folder: Path) -> None:
    (folder / "bad.parquet").write_bytes(b"PAR1")


def write_damaged(folder: Path) -> None:
    write_parquet(folder / "bad.parquet", "SELECT range AS id, range::VARCHAR AS t FROM range(1000)")
    with (folder / "bad.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 300)


def write_one_of_two_damaged(folder: Path) -> None:
    write_parquet(folder / "bad" / "1.parquet", "SELECT 1 AS id")
    (folder / "bad" / "2.parquet").write_bytes(b"PAR1")


def write_both_kinds(folder: Path) -> None:
    write_text(folder / "bad" / "1.csv", "id\n1\n")
    write_parquet(folder / "bad" / "2.parquet", "SELECT 1 AS id")


def write_twice(folder: Path) -> None:
    for name in ("bad.csv", "bad.csv.gz", "BAD"):
        write_text(folder / name if "." in name else folder / name / "1.csv", "id\n1\n")


def link_to_nothing(folder: Path) -> None:
    (folder / "bad.csv").symlink_to(folder / "nothing.csv")


def link_outside(folder: Path) -> None:
    write_text(folder.parent / "outside.csv", "id\n1\n")
    (folder / "bad.csv").symlink_to(folder.parent / "outside.csv")


def link_to_itself(folder: Path) -> None:
    (folder / "bad").symlink_to(folder)


def make_pipe(folder: Path) -> None:
    os.mkfifo(folder / "bad.csv")


def make_socket(folder: Path) -> None:
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(folder)  # a socket's path must be short
        try:
            made.bind("bad.csv")
        finally:
            os.chdir(here)


def write_odd_name(folder: Path) -> None:
    (folder / "bad").mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/bad/caf\xe9.csv")).write_text("id\n1\n")


ENTRIES: list[tuple[Callable[[Path], None], str]] = [
    (write_latin, r"line 2 of bad\.csv is not UTF-8"),
    (write_half, r"bad\.parquet is damaged, not completely written, or not Parquet"),
    (write_four_bytes, r"bad\.parquet is damaged"),
    (write_damaged, r"bad\.parquet is damaged"),
    (write_one_of_two_damaged, r"bad/2\.parquet is damaged"),
    (write_both_kinds, "its folder has Parquet and CSV files: keep one kind"),
    (write_twice, "bad.* are both this table: keep one"),
    (link_to_nothing, r"bad\.csv is a link to a file that does not exist"),
    (link_outside, r"bad\.csv is a link to a path outside the warehouse's folder"),
    (link_to_itself, "bad is a link to a folder that contains it"),
    (make_pipe, r"bad\.csv is a pipe, a socket or a device"),
    (make_socket, r"bad\.csv is a pipe, a socket or a device"),
    (write_odd_name, "the name of bad/caf\ufffd.csv is not UTF-8"),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("write", "sentence"), ENTRIES, ids=lambda value: getattr(value, "__name__", ""))
def test_an_entry_that_cannot_be_read_fails_those_that_read_it_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, write: Callable[[Path], None], sentence: str
) -> None:
    folder = tmp_path / "warehouse"
    write_text(folder / "good.csv", "id\n1\n")
    write(folder)

    with opened(folder) as warehouse:
        assert warehouse.fetch("SELECT id FROM good") == [(1,)]
        assert warehouse.fetch("SELECT 1") == [(1,)]
        for _ in range(2):
            with pytest.raises(
                WarehouseError, match=f"The warehouse's table '(bad|BAD)' cannot be read: .*{sentence}"
            ) as caught:
                warehouse.fetch("SELECT * FROM bad")
        assert str(tmp_path) not in str(caught.value)
        with caplog.at_level(logging.WARNING):
            # The columns of a file that is damaged inside can still be read.
            assert set(warehouse.schema()) - {"bad"} == {"good"}
        assert warehouse.fetch("WITH bad AS (SELECT 7 AS id) SELECT id FROM bad") == [(7,)]


def test_a_table_that_cannot_be_read_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_latin(tmp_path)
    with opened(tmp_path) as warehouse, caplog.at_level(logging.WARNING):
        warehouse.schema()
        with pytest.raises(WarehouseError):
            warehouse.fetch("SELECT * FROM bad")
        warehouse.schema()

    assert [record.getMessage() for record in caplog.records] == [
        "The warehouse's table 'bad' cannot be read: line 2 of bad.csv is not UTF-8: write the file in UTF-8."
    ]


def test_a_name_with_the_signs_of_a_pattern_is_a_table_like_others(tmp_path: Path) -> None:
    for name in ("a[1]", "b*", "c?", "orders (1)"):
        write_text(tmp_path / f"{name}.csv", "id\n1\n")
    write_text(tmp_path / "a1.csv", "id\n2\n")

    with opened(tmp_path) as warehouse:
        for name in ("a[1]", "b*", "c?", "orders (1)"):
            assert warehouse.fetch(f'FROM "{name}"') == [(1,)]


def test_a_name_that_is_not_utf8_hides_no_other(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")).write_text("id\n1\n")
    write_text(tmp_path / "good.csv", "id\n1\n")

    with opened(tmp_path) as warehouse:
        assert list(warehouse.schema()) == ["good"]
        with pytest.raises(WarehouseUnavailableError, match="is not UTF-8: rename it"):
            warehouse.fetch('SELECT * FROM "caf\ufffd"')


AS_OTHER_USER = """
import os, sys
from pathlib import Path
from tests.unit.reports_worker.warehouse.folders import opened

folder = Path(sys.argv[1])
with opened(folder) as warehouse:  # imports what another user may not be able to
    warehouse.fetch("SELECT id FROM good")
if os.getuid() == 0:  # root may read everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with opened(folder) as warehouse:
    print(warehouse.fetch("SELECT id FROM good"), list(warehouse.schema()))
    for table in ('"lost+found"', "secret", "part"):
        try:
            warehouse.fetch(f"SELECT * FROM {table}")
        except Exception as error:
            print(type(error).__name__, error)
"""


def test_a_file_without_permission_does_not_affect_others() -> None:
    with tempfile.TemporaryDirectory() as place:
        # Other users reach no folder that pytest makes.
        Path(place).chmod(0o755)
        folder = Path(place, "warehouse")
        write_text(folder / "good.csv", "id\n1\n")
        write_text(folder / "secret.csv", "id\n1\n")
        write_text(folder / "part" / "a.csv", "id\n1\n")
        write_text(folder / "part" / "b.csv", "id\n1\n")
        for path, mode in ((folder, 0o755), (folder / "part", 0o755), (folder / "good.csv", 0o644)):
            path.chmod(mode)
        (folder / "part" / "a.csv").chmod(0o644)
        (folder / "lost+found").mkdir(mode=0)
        (folder / "secret.csv").chmod(0)
        (folder / "part" / "b.csv").chmod(0)

        done = subprocess.run(
            [sys.executable, "-c", AS_OTHER_USER, str(folder)], capture_output=True, text=True, check=False
        )

    assert done.returncode == 0, done.stderr
    refusal = (
        "The warehouse's table '{}' cannot be read: {}the worker has no permission to read it. "
        "Contact your administrator."
    )
    assert done.stdout.splitlines() == [
        "[(1,)] ['good']",
        "WarehouseUnavailableError " + refusal.format("lost+found", "lost+found cannot be listed: "),
        "WarehouseUnavailableError " + refusal.format("secret", "secret.csv: "),
        "WarehouseUnavailableError " + refusal.format("part", "part/b.csv: "),
    ]


@pytest.mark.parametrize("name", ["Orders.CSV", "ORDERS.Csv", "orders.PARQUET"])
def test_an_ending_in_capitals_is_no_part_of_the_name(tmp_path: Path, name: str) -> None:
    if name.lower().endswith("csv"):
        write_text(tmp_path / name, "id\n1\n")
    else:
        write_parquet(tmp_path / name, "SELECT 1 AS id")

    with opened(tmp_path) as warehouse:
        assert warehouse.fetch("SELECT id FROM orders") == [(1,)]


def test_the_lock_file_of_an_office_program_is_ignored(tmp_path: Path) -> None:
    write_text(tmp_path / "office" / "jan.csv", "id\n1\n")
    (tmp_path / "office" / "~$jan.csv").write_bytes(b"\x04Name" + bytes(50))

    with opened(tmp_path) as warehouse:
        assert warehouse.fetch("SELECT id FROM office") == [(1,)]


def test_a_file_of_the_warehouse_is_no_table_by_its_path(tmp_path: Path) -> None:
    write_text(tmp_path / "good.csv", "id\n1\n")

    with opened(tmp_path) as warehouse, pytest.raises(WarehouseError, match="name a table, not a file"):
        warehouse.fetch(f"FROM '{tmp_path}/good.csv'")


def test_the_tables_can_be_listed_by_sql(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_text(tmp_path / f"{name}.csv", "id\n1\n")
    write_latin(tmp_path)

    with opened(tmp_path) as warehouse:
        listed = "SELECT table_name FROM information_schema.tables ORDER BY 1"
        assert warehouse.fetch(listed) == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ([], "it has no tables."),
        (["b", "a"], "its tables are a, b."),
        ([f"a{n:02}" for n in range(30)] + ["orders"], "its tables are orders, a00, .*, a18 and 11 more."),
    ],
)
def test_a_table_that_is_missing_is_named_with_those_that_there_are(
    tmp_path: Path, tables: list[str], sentence: str
) -> None:
    for name in tables:
        write_text(tmp_path / f"{name}.csv", "id\n1\n")

    with opened(tmp_path) as warehouse, pytest.raises(WarehouseError) as raised:
        warehouse.fetch("SELECT * FROM ordrs")
    assert re.fullmatch(f"The warehouse has no table 'ordrs': {sentence}", str(raised.value))


def test_no_table_of_the_engine_is_suggested(tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(database)).close()

    with opened(database) as warehouse, pytest.raises(WarehouseError) as raised:
        warehouse.fetch("SELECT * FROM orders")
    assert str(raised.value) == (
        "The warehouse cannot execute the query: Catalog Error: Table with name orders does not exist!"
    )
