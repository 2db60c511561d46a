"""What wrk prints, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load import Load, find_wrk, parse_load, parse_wrk_version
from harness.errors import MissingToolError

_PRINTED = """\
Running 2s test @ http://127.0.0.1:8000
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.21ms    1.02ms  15.11ms   88.12%
Requests/sec:   1888.00
"""
_RESULT = {
    "requests": 3776,
    "duration_us": 2000000,
    "p50_us": 4210,
    "p99_us": 13512,
    "refused": 0,
    "broken": 0,
}


def printed(**changes: int) -> str:
    return _PRINTED + json.dumps(_RESULT | changes) + "\n"


def test_rate_and_latencies_are_read_from_the_line_of_our_script() -> None:
    assert parse_load(printed()) == Load(requests_per_second=1888.0, p50_ms=4.21, p99_ms=13.512)


@pytest.mark.parametrize("changes", [{"refused": 1}, {"broken": 1}, {"requests": 0}])
def test_a_load_with_errors_is_no_measurement(changes: dict[str, int]) -> None:
    with pytest.raises(BenchmarkError, match="refused"):
        parse_load(printed(**changes))


def test_a_wrk_that_prints_no_result_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="no result"):
        parse_load(_PRINTED)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer\n", "4.1.0-3+b2"),
        ("wrk 4.2.0 [kqueue] Copyright (C) 2012 Will Glozer\n", "4.2.0"),
        ("", "unknown"),
    ],
)
def test_the_version_of_wrk_is_read(text: str, version: str) -> None:
    assert parse_wrk_version(text) == version


def test_a_missing_wrk_is_said_in_a_sentence_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingToolError, match="apt-get install wrk"):
        find_wrk()
