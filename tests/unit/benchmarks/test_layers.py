"""Whose the time is that a profiler found."""

from __future__ import annotations

import pytest

from benchmarks.measures.layers import find_py_spy, share_out
from harness.errors import MissingToolError

_HANDLE = "handle (gunicorn/workers/gthread.py:42)"
_CALL = "__call__ (flask/app.py:7)"


def test_a_sample_counts_for_the_innermost_layer() -> None:
    shares = share_out([f"{_HANDLE} 3", f"{_HANDLE};{_CALL} 1"])

    assert shares == {"gunicorn": 75, "Flask and Werkzeug": 25, "redis-py": 0, "ours": 0}


def test_the_standard_library_counts_for_who_called_it() -> None:
    shares = share_out([f"{_HANDLE};{_CALL};dumps (json/encoder.py:9);_bootstrap (threading.py:1) 5"])

    assert shares["Flask and Werkzeug"] == 100


def test_no_samples_are_no_shares() -> None:
    assert set(share_out([]).values()) == {0}


def test_without_py_spy_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(MissingToolError, match="pip install py-spy"):
        find_py_spy()
