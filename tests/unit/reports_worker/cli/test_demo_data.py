"""Demo data: the same rows for the same arguments, complete or not there at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from harness.wait import wait_until
from reports_worker.cli.main import main
from reports_worker.demo import rows
from reports_worker.demo.generator import Demo, DemoDataError, write
from tests.needed_tools import small_disk

UNTIL = "2026-06-14"
SMALL = Demo(1000, 1, UNTIL)
ORDERS_DIGEST = 8978382985076474815811


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "small"
    write(SMALL, folder)
    return folder


def query(folder: Path, sql: str) -> Sequence[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        for table in rows.TABLES:
            connection.read_parquet(str(folder / f"{table}.parquet")).create_view(table)
        return connection.execute(sql).fetchall()


def digest(folder: Path) -> Mapping[str, int]:
    """Add up the MD5 of all rows of each table, which does not depend on the order of rows."""
    return {
        table: query(folder, f"SELECT sum(md5_number_lower({table}::VARCHAR)::HUGEINT) FROM {table}")[0][0]
        for table in rows.TABLES
    }


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["demo-data", *arguments])


def test_the_same_arguments_give_the_same_rows_and_another_seed_gives_others(
    small: Path, tmp_path: Path
) -> None:
    write(SMALL, tmp_path / "again")
    write(Demo(1000, 2, UNTIL), tmp_path / "other")

    first, again, other = digest(small), digest(tmp_path / "again"), digest(tmp_path / "other")

    assert first == again
    assert all(first[table] != other[table] for table in ("orders", "order_lines", "sign_ins", "stock"))
    # What everybody gets, on whatever machine: changing it deserves a line in the changelog.
    assert first["orders"] == ORDERS_DIGEST


def test_demo_data_has_the_requested_size(small: Path, tmp_path: Path) -> None:
    write(Demo(100, 1, UNTIL), tmp_path / "smallest")

    assert query(small, "SELECT count(*), min(order_id), max(order_id) FROM orders") == [(1000, 1, 1000)]
    assert query(tmp_path / "smallest", "SELECT count(DISTINCT order_id) FROM orders") == [(100,)]


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
def test_the_tables_agree_with_each_other(nothing: str, small: Path) -> None:
    assert query(small, f"SELECT count(*) {nothing}") == [(0,)]


def test_demo_data_has_trends_seasons_tails_and_scripts(tmp_path: Path) -> None:
    write(Demo(20_000, 1, UNTIL), tmp_path / "demo")

    def count(sql: str) -> Any:
        return query(tmp_path / "demo", sql)[0][0]

    year = "SELECT count(*) FROM orders WHERE ordered_at::DATE BETWEEN DATE '{0}-06-15' AND DATE '{1}-06-14'"
    assert count(year.format(2025, 2026)) > 1.2 * count(year.format(2023, 2024))
    month = "SELECT count(*) FROM orders WHERE strftime(ordered_at, '%Y-%m') = '{0}'"
    assert count(month.format("2025-12")) > 1.2 * count(month.format("2026-02"))
    day = "SELECT count(*) FROM orders WHERE isodow(ordered_at) = {0}"
    assert count(day.format(5)) > 1.1 * count(day.format(7))
    top = "SELECT sum(n) FROM (SELECT count(*) AS n FROM {0} GROUP BY {1} ORDER BY n DESC LIMIT {2})"
    assert count(top.format("orders", "user_id", 100)) > 0.3 * 20_000
    assert count(top.format("order_lines", "product_id", 4)) > 0.15 * count(
        "SELECT count(*) FROM order_lines"
    )
    for script in ("[一-鿿]", "[ěščřžýáíéů]", "[ء-ي]"):
        assert count(f"SELECT count(*) FROM products WHERE regexp_matches(name, '{script}')")


def test_the_command_writes_the_data_once_and_reports_what_it_did(tmp_path: Path) -> None:
    folder = str(tmp_path / "deep" / "demo")
    arguments = (folder, "--orders", "100", "--until", UNTIL)

    first, again = run(*arguments), run(*arguments)

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert "sign_ins written" in first.output
    assert f"holds 100 orders until {UNTIL}" in first.output
    assert "already holds this demo data" in again.output


def test_other_demo_data_is_replaced_only_with_the_option(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    write(Demo(100, 1, UNTIL), folder)

    refused = run(str(folder), "--orders", "200")

    assert refused.exit_code == 1
    assert "give --replace" in refused.output
    assert run(str(folder), "--orders", "200", "--replace").exit_code == 0
    assert query(folder, "SELECT count(*) FROM orders") == [(200,)]
    assert os.listdir(tmp_path) == ["demo"]  # noqa: PTH208 - names


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


def test_the_rest_of_a_killed_run_is_removed_and_the_data_of_a_running_one_stays(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "reports_worker", "demo-data", str(folder), "--orders", "2000000"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        (aside,) = wait_until(lambda: list(tmp_path.glob(".demo.*/new")), what="what it writes aside")
        running.send_signal(signal.SIGSTOP)
        write(Demo(100, 1, UNTIL), folder)
        assert aside.exists()
        running.kill()
    assert aside.exists()

    write(Demo(200, 1, UNTIL), folder, replace=True)

    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_cannot_be_written_is_reported_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DemoDataError, match=r"cannot be written to .*: File exists\."):
        write(Demo(100, 1, UNTIL), tmp_path / "file" / "demo")


def test_a_full_disk_is_reported_in_a_sentence_and_leaves_no_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with pytest.raises(DemoDataError, match="the disk is full"):
            write(Demo(400_000, 1, UNTIL), disk / "demo")

        assert list(disk.iterdir()) == []
