"""The page that tells of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import PAGE
from benchmarks.bench import Extent
from benchmarks.machine import Machine
from benchmarks.measures import BY_NAME
from benchmarks.report import list_circumstances, render_page, render_table, render_void
from benchmarks.results import Result, read_checks, read_result, write_checks, write_result
from benchmarks.rows import AtLeast, AtMost, Row, Within
from benchmarks.run import Run
from benchmarks.void import RECORDED, Check

_MACHINE = Machine(
    processor="AMD EPYC",
    cores=2,
    memory_gb=25.3,
    kernel="Linux 6.18",
    python="3.11.7",
    load_before=0.4,
    commit="abc1234",
    date="2026-11-23 12:00 UTC",
)
_RUN = Run(
    machine=_MACHINE,
    extent=Extent(),
    rows={
        "submits": [
            Row("submit, c=1", "requests/s", [1200.0, 1100.0, 1300.0], [1000.0] * 3, AtLeast(1)),
            Row("submit, c=1, p99", "ms", [3.0], [2.0], AtMost(1)),
        ],
        "memory": [
            Row("memory of the API", "MB", [60.0], [120.0]),
            Row("p99 among many", "times", [1.2, 1.4, 1.3], [], bar=Within(1.5)),
        ],
    },
    checks=[Check(concurrency, [ratio] * 3) for concurrency, ratio in RECORDED.items()],
    versions={"ours": {"rq": "3.0.0"}, "peer": {"celery": "5.7.0"}, "tools": {"broker": "Redis 7.0.15"}},
)


_CIRCUMSTANCES = list_circumstances(_RUN, "python -m benchmarks")
_RESULTS = [
    Result(name, rows, "abc1234", "2026-11-23 12:00 UTC", _CIRCUMSTANCES) for name, rows in _RUN.rows.items()
]


def read_cells(text: str, name: str) -> Sequence[str]:
    """Read the line of a table that begins with `name`."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_shows_both_sides_the_ratio_the_bar_and_whether_it_is_met() -> None:
    assert read_cells(render_table(_RESULTS), "submit, c=1 (requests/s)") == [
        "submit, c=1 (requests/s)",
        "1,200 (1,100 to 1,300)",
        "1,000 (1,000 to 1,000)",
        "1.20",
        "at least 1 times the peer's",
        "yes",
        "abc1234",
        "2026-11-23 12:00 UTC",
    ]


def test_a_row_of_ours_alone_leaves_the_peers_cells_empty() -> None:
    assert read_cells(render_table(_RESULTS), "p99 among many (times)")[1:] == [
        "1.30 (1.20 to 1.40)",
        "",
        "",
        "ours at most 1.5",
        "yes",
        "abc1234",
        "2026-11-23 12:00 UTC",
    ]


def test_a_bar_that_is_missed_stands_out() -> None:
    assert read_cells(render_table(_RESULTS), "submit, c=1, p99 (ms)")[5] == "**no**"


def test_a_row_without_a_bar_leaves_its_cells_empty() -> None:
    assert read_cells(render_table(_RESULTS), "memory of the API (MB)")[3:6] == ["0.50", "", ""]


def test_a_value_of_one_round_has_no_ends() -> None:
    assert read_cells(render_table(_RESULTS), "memory of the API (MB)")[1:3] == ["60.0", "120"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("commit", "abc1234"),
        ("command", "`python -m benchmarks`"),
        ("machine", "AMD EPYC, 2 cores, 25.3 GB, Linux 6.18"),
        ("Python", "3.11.7"),
        ("ours", "rq 3.0.0"),
        ("peer", "celery 5.7.0"),
        ("tools", "broker Redis 7.0.15"),
        ("rounds", "5"),
        ("stored for the list", "100, 10,000, 100,000"),
    ],
)
def test_the_page_says_under_which_circumstances_it_was_measured(name: str, value: str) -> None:
    assert read_cells(render_page(_RESULTS, _RUN.checks), name)[1] == value


def test_a_void_run_says_so_and_where() -> None:
    run = replace(_RUN, checks=[*_RUN.checks[1:], Check(1, [0.5 * RECORDED[1]])])

    assert run.is_void
    assert render_void(run.checks).startswith("This run is void")
    assert "(50% at 1 at a time)" in render_void(run.checks)


def test_a_circumstance_that_all_runs_share_stands_once() -> None:
    renewed = replace(_RESULTS[1], date="2026-11-30 12:00 UTC")

    page = render_page([_RESULTS[0], renewed], _RUN.checks)

    assert read_cells(page, "Python")[1:] == ["3.11.7", "all"]


def test_a_measurement_that_is_renewed_alone_keeps_its_own_circumstances() -> None:
    renewed = replace(
        _RESULTS[1], commit="def5678", date="2026-11-30 12:00 UTC", circumstances=[("commit", "def5678")]
    )

    page = render_page([_RESULTS[0], renewed], _RUN.checks)

    assert read_cells(page, "submit, c=1 (requests/s)")[6] == "abc1234"
    assert read_cells(page, "memory of the API (MB)")[6] == "def5678"
    assert "| commit | abc1234 | 2026-11-23 12:00 UTC |" in page
    assert "| commit | def5678 | 2026-11-30 12:00 UTC |" in page
    assert read_cells(page, "Python")[1:] == ["3.11.7", "2026-11-23 12:00 UTC"]


def test_the_stored_page_is_made_of_the_stored_results() -> None:
    results = [result for result in map(read_result, BY_NAME) if result]

    assert PAGE.read_text(encoding="utf-8") == render_page(results, read_checks()), (
        "run python -m benchmarks --page"
    )


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    write_checks(_RUN.checks, tmp_path)
    for result in _RESULTS:
        write_result(result, tmp_path)

    assert [read_result(result.measure, tmp_path) for result in _RESULTS] == _RESULTS
    assert read_checks(tmp_path) == _RUN.checks
    assert read_result("nothing", tmp_path) is None


def test_the_page_leaves_no_placeholder() -> None:
    page = render_page(_RESULTS, _RUN.checks)

    assert "{" not in page
    assert "}" not in page
