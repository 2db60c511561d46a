"""docs/explanation/reliability.md: a row for each fault, and what stands in it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from faults import soak
from faults.judging.results import Result
from faults.page.report import render_page, render_table
from faults.page.rows import FAULTS_FILE, SOAK_FILE, Row, make_row, merge_rows, read_rows, write_rows
from faults.scenarios import FAULTS
from faults.soak import Soak
from harness.processes import ROOT

PAGE = ROOT / "docs" / "explanation" / "reliability.md"
ROW = Row(
    name="worker-killed",
    title="SIGKILL to the worker",
    steps="started, middle",
    accepted=1234,
    lost=0,
    published_twice=0,
    overlap_seconds=0.05,
    recovery_seconds=12.26,
    recovery_limit=15,
    unplayed=0,
    complaints=[],
    commit="abc1234",
    date="2026-11-23 12:00 UTC",
)


def read_cells(text: str, title: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith((f"| {title} |", f"| {title} (**"))]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_says_all_that_was_found_with_commit_and_date() -> None:
    assert read_cells(render_table([ROW]), "SIGKILL to the worker") == [
        "SIGKILL to the worker",
        "started, middle",
        "1,234",
        "0",
        "0",
        "0.1 s",
        "12.3 s",
        "abc1234",
        "2026-11-23 12:00 UTC",
    ]


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        (replace(ROW, lost=2), "**2**"),
        (replace(ROW, published_twice=1), "**1**"),
        (replace(ROW, overlap_seconds=5.27), "**5.3 s**"),
        (replace(ROW, recovery_seconds=19.0), "**19.0 s**"),
        (replace(ROW, recovery_seconds=None), "**never**"),
    ],
)
def test_a_broken_promise_stands_out(row: Row, cell: str) -> None:
    assert not row.is_kept
    assert cell in read_cells(render_table([row]), "SIGKILL to the worker")
    assert "**In these runs promises were broken: SIGKILL to the worker.**" in render_page([row])


@pytest.mark.parametrize("row", [replace(ROW, complaints=["It was odd."]), replace(ROW, unplayed=1)])
def test_what_else_was_wrong_stands_with_the_fault(row: Row) -> None:
    assert not row.is_kept
    assert "**broken**;" in read_cells(render_table([row]), "SIGKILL to the worker")[0]


def test_a_page_without_a_broken_promise_says_so_and_leaves_no_placeholder() -> None:
    page = render_page([ROW])

    assert "In these runs every promise was kept." in page
    assert "{" not in page


def test_a_row_holds_the_sums_and_the_worst_of_its_scenarios() -> None:
    one = Result("worker-killed", "started", 20, 1, 0, 0.2, 5.0)
    other = Result("worker-killed", "middle", 30, 0, 1, 0.1, math.inf)

    row = make_row(
        [one, other],
        name="worker-killed",
        title="SIGKILL to the worker",
        steps="started, middle",
        recovery_limit=15,
        unplayed=0,
        commit="abc1234",
        date="2026-11-23 12:00 UTC",
    )

    assert (row.accepted, row.lost, row.published_twice) == (50, 1, 1)
    assert (row.overlap_seconds, row.recovery_seconds) == (0.2, None)


def test_rows_are_kept_between_runs(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.json", [ROW])

    assert read_rows(tmp_path / "rows.json") == {ROW.name: ROW}
    assert read_rows(tmp_path / "none.json") == {}


def test_new_rows_take_the_places_of_old_ones() -> None:
    old = {name: replace(ROW, name=name) for name in ("one", "two", "gone")}
    new = replace(ROW, name="one", lost=3)

    assert merge_rows(old, [new], order=["two", "one", "three"]) == [old["two"], new]


def test_the_page_has_a_row_for_every_fault_and_for_the_soak() -> None:
    faults, soaks = read_rows(FAULTS_FILE), read_rows(SOAK_FILE)

    assert list(faults) == list(FAULTS), "run `make faults-all`"
    assert list(soaks) == [soak.NAME], "run `make soak`"
    for row in (*faults.values(), *soaks.values()):
        assert row.commit in read_cells(PAGE.read_text(encoding="utf-8"), row.title)


def test_the_page_is_what_the_last_full_runs_have_left() -> None:
    rows = [*read_rows(FAULTS_FILE).values(), *read_rows(SOAK_FILE).values()]

    assert PAGE.read_text(encoding="utf-8") == render_page(rows)


def test_the_soak_on_the_page_is_a_whole_one() -> None:
    assert read_rows(SOAK_FILE)[soak.NAME].title == Soak().title
    assert Soak().reports == 20_000
    assert Soak().workers == 4


def test_the_full_runs_struck_every_step() -> None:
    steps = {name: row.steps for name, row in read_rows(FAULTS_FILE).items()}

    assert steps == {name: ", ".join(fault.steps) for name, fault in FAULTS.items()}
