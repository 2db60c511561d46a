"""`python -m benchmarks`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.bench import Extent
from benchmarks.measures import MEASURES


def test_without_wrk_nothing_starts_and_the_exit_status_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    status = main(["--quick"])

    output = capsys.readouterr()
    assert status == 2
    assert output.out == ""
    assert output.err.splitlines() == ["wrk is needed to make load, and is not on PATH: apt-get install wrk"]


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--seconds", "1.5"], ["--rounds", "many"]])
def test_what_is_no_number_of_rounds_or_seconds_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)

    assert ending.value.code == 2
    assert "is not a whole number of at least 1" in capsys.readouterr().err


def test_a_run_is_long_enough_unless_it_is_to_be_quick() -> None:
    assert Extent().rounds >= 5
    assert Extent().rounds * Extent().picked_up >= 100
    assert Extent().stored == (100, 10_000, 100_000)
    assert Extent.quick().rounds == 1


def test_everything_that_is_promised_is_measured() -> None:
    assert [measure.__name__ for measure in MEASURES] == [
        "measure_submits",
        "measure_attended_submits",
        "measure_round_trips",
        "measure_status",
        "measure_layers",
        "measure_lists",
        "measure_pick_up",
        "measure_making",
        "measure_memory",
        "measure_files",
        "measure_exports",
        "measure_warehouse",
    ]


def test_what_is_not_measured_cannot_be_asked_for_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])

    assert "attended_submits" in capsys.readouterr().err
