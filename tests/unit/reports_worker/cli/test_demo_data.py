"""Demo data: the same rows for the same arguments, complete or not there at all."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from harness.small_disk import fill
from harness.wait import wait_until
from reports_worker.cli.main import main
from reports_worker.demo import rows
from reports_worker.demo.generator import Demo, DemoDataError, write
from tests.needed_tools import small_disk

UNTIL = "2026-06-14"
ORDERS = 20_000
DOCS = Path(__file__).parents[4] / "docs" / "reference" / "tables.md"
# What everybody gets for seed 1, on whatever machine: changing it deserves a line in the changelog.
DIGEST = {
    "products": 392354334379707770996,
    "users": 9098576105149467645713,
    "orders": 184266771181903662619436,
    "order_lines": 334165208943222834071840,
    "sign_ins": 379828251914424885613398,
    "stock": 232499800280749763884284,
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The data that the command wrote, and what it reported: the slots of time alone take a second each time."""
    folder = tmp_path_factory.mktemp("deep") / "below" / "demo"
    return folder, run(str(folder), "--orders", str(ORDERS), "--until", UNTIL)


@pytest.fixture(scope="module")
def data(demo: tuple[Path, Result]) -> Path:
    return demo[0]


def query(folder: Path, *statements: str) -> Sequence[tuple[Any, ...]]:
    """Return the rows of all statements."""
    with duckdb.connect() as connection:
        for table in rows.TABLES:
            connection.read_parquet(str(folder / f"{table}.parquet")).create_view(table)
        return [row for sql in statements for row in connection.execute(sql).fetchall()]


def digest(folder: Path) -> Mapping[str, int]:
    """Add up the MD5 of all rows of each table, which does not depend on the order of rows."""
    sums = [f"SELECT sum(md5_number_lower({table}::VARCHAR)::HUGEINT) FROM {table}" for table in rows.TABLES]
    return {table: found for table, (found,) in zip(rows.TABLES, query(folder, *sums), strict=True)}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["demo-data", *arguments])


def test_the_same_arguments_give_the_same_rows(data: Path) -> None:
    assert digest(data) == DIGEST


def test_demo_data_has_the_requested_size(data: Path) -> None:
    sizes = "SELECT count(*), count(DISTINCT order_id), min(order_id), max(order_id) FROM orders"

    assert query(data, sizes) == [(ORDERS, ORDERS, 1, ORDERS)]


@pytest.mark.parametrize(
    "nothing",
    [
        "FROM orders JOIN users USING (user_id) WHERE ordered_at < signed_up_at",
        "FROM sign_ins JOIN users USING (user_id) WHERE signed_in_at < signed_up_at",
        "FROM orders ANTI JOIN users USING (user_id)",
        "FROM order_lines ANTI JOIN orders USING (order_id)",
        "FROM order_lines ANTI JOIN products USING (product_id)",
        "FROM orders WHERE total <> (SELECT sum(amount) FROM order_lines l WHERE l.order_id = orders.order_id)",
        "FROM order_lines WHERE amount <> quantity * unit_price",
        "FROM orders JOIN users USING (user_id) WHERE orders.region <> users.region",
        f"FROM orders WHERE ordered_at::DATE > DATE '{UNTIL}' OR ordered_at::DATE < DATE '2023-06-15'",
        "FROM (SELECT 1 FROM stock GROUP BY counted_on, warehouse, product_id HAVING count(*) > 1)",
        "FROM products WHERE unit_cost >= unit_price",
    ],
)
def test_the_tables_agree_with_each_other(nothing: str, data: Path) -> None:
    assert query(data, f"SELECT count(*) {nothing}") == [(0,)]


def test_demo_data_has_trends_seasons_tails_and_scripts(data: Path) -> None:
    def count(sql: str) -> Any:
        return query(data, sql)[0][0]

    year = "SELECT count(*) FROM orders WHERE ordered_at::DATE BETWEEN DATE '{0}-06-15' AND DATE '{1}-06-14'"
    assert count(year.format(2025, 2026)) > 1.2 * count(year.format(2023, 2024))
    month = "SELECT count(*) FROM orders WHERE strftime(ordered_at, '%Y-%m') = '{0}'"
    assert count(month.format("2025-12")) > 1.2 * count(month.format("2026-02"))
    day = "SELECT count(*) FROM orders WHERE isodow(ordered_at) = {0}"
    assert count(day.format(5)) > 1.1 * count(day.format(7))
    top = "SELECT sum(n) FROM (SELECT count(*) AS n FROM {0} GROUP BY {1} ORDER BY n DESC LIMIT {2})"
    assert count(top.format("orders", "user_id", 100)) > 0.3 * ORDERS
    assert count(top.format("order_lines", "product_id", 4)) > 0.15 * count(
        "SELECT count(*) FROM order_lines"
    )
    for script in ("[一-鿿]", "[ěščřžýáíéů]", "[ء-ي]"):
        assert count(f"SELECT count(*) FROM products WHERE regexp_matches(name, '{script}')")


def test_the_command_writes_the_data_once_and_reports_what_it_did(demo: tuple[Path, Result]) -> None:
    folder, first = demo

    again = run(str(folder), "--orders", str(ORDERS), "--until", UNTIL)

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert "sign_ins written" in first.output
    assert f"holds 20,000 orders until {UNTIL}" in first.output
    assert "already holds this demo data" in again.output


def test_other_demo_data_is_not_replaced_without_the_option(data: Path) -> None:
    refused = run(str(data), "--orders", "200")

    assert refused.exit_code == 1
    assert "give --replace" in refused.output
    assert query(data, "SELECT count(*) FROM orders") == [(ORDERS,)]


def test_the_documented_columns_are_those_of_the_files(data: Path) -> None:
    documented = {}
    for part in DOCS.read_text(encoding="utf-8").split("\n## ")[1:]:
        columns = re.findall(r"^\| `(\w+)` \| ([\w(),]+) \|", part, re.MULTILINE)
        if columns:
            documented[part.partition("\n")[0]] = columns

    written = {
        table: [(name, kind) for name, kind, *_ in query(data, f"DESCRIBE {table}")] for table in rows.TABLES
    }

    assert documented == written


def test_a_folder_without_demo_data_is_never_changed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "orders.parquet").write_text("mine")

    refused = run(str(tmp_path / "mine"), "--replace")

    assert refused.exit_code == 1
    assert "holds no demo data: give another path" in refused.output
    assert (tmp_path / "mine" / "orders.parquet").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--orders", "99"), "100<=x<=20000000"),
        (("--until", "yesterday"), "give a day such as 2026-06-30"),
        (("--until", "9999-12-31"), "from 1980 to 2200"),
    ],
)
def test_options_that_are_not_valid_are_refused(
    options: Sequence[str], sentence: str, tmp_path: Path
) -> None:
    refused = run(str(tmp_path / "demo"), *options)

    assert refused.exit_code == 2
    assert sentence in refused.output


def test_a_replacement_removes_the_rest_of_a_killed_run_and_the_data_of_a_running_one_stays(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "reports_worker", "demo-data", str(folder), "--orders", "2000000"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        (aside,) = wait_until(lambda: list(tmp_path.glob(".demo.*/new")), what="what it writes aside")
        running.send_signal(signal.SIGSTOP)
        write(Demo(100, 1, UNTIL), folder)
        assert aside.exists()
        running.kill()
    assert aside.exists()
    first = digest(folder)

    replaced = run(str(folder), "--orders", "100", "--seed", "2", "--until", UNTIL, "--replace")

    assert replaced.exit_code == 0
    assert list(tmp_path.iterdir()) == [folder]
    assert query(folder, "SELECT count(DISTINCT order_id) FROM orders") == [(100,)]
    other = digest(folder)
    assert all(first[table] != other[table] for table in ("orders", "order_lines", "sign_ins", "stock"))


def test_a_folder_that_cannot_be_written_is_reported_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DemoDataError, match=r"cannot be written to .*: File exists\."):
        write(Demo(100, 1, UNTIL), tmp_path / "file" / "demo")


def test_a_full_disk_is_reported_in_a_sentence_and_leaves_no_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        # What is left takes the first tables: a few orders are too many then, and are written soon.
        filler = fill(disk)
        os.truncate(filler, filler.stat().st_size - 65_536)
        with pytest.raises(DemoDataError, match="the disk is full"):
            write(Demo(1000, 1, UNTIL), disk / "demo")

        assert list(disk.iterdir()) == [filler]
