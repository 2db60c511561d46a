"""The failure that an error of an execution becomes."""

from __future__ import annotations

import errno
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_worker.artifacts import StorageError
from reports_worker.domain.report import Completed, Failed, Reason
from reports_worker.errors import DefinitionError, ReportsError
from reports_worker.execution.failures import LONGEST_ERROR, check_summary, to_failure
from reports_worker.formats.errors import ChartError, TooManyRowsError, UnfitRowsError
from reports_worker.lib.strict_json import parse_json
from reports_worker.warehouse.errors import (
    WarehouseBusyError,
    WarehouseCancelledError,
    WarehouseError,
    WarehouseMemoryError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from tests.extent import count_examples


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (StorageError, Reason.STORAGE_UNAVAILABLE),
        (WarehouseBusyError, Reason.WAREHOUSE_BUSY),
        (WarehouseUnavailableError, Reason.WAREHOUSE_UNAVAILABLE),
        (WarehouseTimeoutError, Reason.TIMEOUT),
        (WarehouseMemoryError, Reason.MEMORY),
        (WarehouseCancelledError, Reason.ERROR),
        (WarehouseError, Reason.ERROR),
        (UnfitRowsError, Reason.ERROR),
        (ChartError, Reason.ERROR),
        (DefinitionError, Reason.ERROR),
        (ReportsError, Reason.ERROR),
    ],
)
def test_an_error_of_this_product_keeps_its_own_message(kind: type[Exception], reason: Reason) -> None:
    failed = to_failure(kind("Ask again tomorrow."))

    assert (failed.reason, failed.error) == (reason, "Ask again tomorrow.")


def test_too_many_rows_fail_as_too_large_with_the_numbers() -> None:
    failed = to_failure(TooManyRowsError(1001, 1000, "orders"))

    assert failed.reason is Reason.TOO_LARGE
    assert (
        "more than the 1,000 rows that the limit allows (REPORTS_MAX_ROWS): 1,001 had been read"
        in failed.error
    )


@pytest.mark.parametrize(
    ("error", "reason", "sentence"),
    [
        (MemoryError("cannot allocate"), Reason.MEMORY, "more memory than the machine has"),
        (
            OSError(errno.ENOSPC, "full", "/srv/secret"),
            Reason.STORAGE_UNAVAILABLE,
            "files are written is full",
        ),
        (
            OSError(errno.EDQUOT, "quota", "/srv/secret"),
            Reason.STORAGE_UNAVAILABLE,
            "files are written is full",
        ),
    ],
)
def test_a_lack_of_memory_or_disk_is_reported_without_the_error_text(
    error: Exception, reason: Reason, sentence: str
) -> None:
    failed = to_failure(error)

    assert failed.reason is reason
    assert sentence in failed.error
    assert "secret" not in failed.error


def test_any_other_error_is_named_and_cut() -> None:
    failed = to_failure(KeyError("x" * 10_000))

    assert failed.error.startswith("The report failed: KeyError: 'xxx")
    assert len(failed.error) <= LONGEST_ERROR + 50


ANY_TEXT = st.text(st.characters(exclude_categories=()))
NUMBERS = st.one_of(st.floats(), st.decimals(), st.integers(), st.none(), st.booleans(), ANY_TEXT, st.dates())
FIGURES = st.recursive(
    NUMBERS,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner) | st.tuples(inner, inner),
    max_leaves=10,
)


@settings(max_examples=count_examples(15, wide=1000), deadline=None)
@given(st.dictionaries(st.text(), FIGURES, max_size=5))
def test_figures_of_any_numbers_can_be_stored(summary: dict[str, Any]) -> None:
    outcome = check_summary(summary)

    assert isinstance(outcome, Completed)
    assert parse_json(json.dumps(outcome.summary, allow_nan=False)).keys() == summary.keys()


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("NaN"), None),
        (Decimal("sNaN"), None),
        (Decimal("-Infinity"), None),
        (Decimal("1e400"), None),
        (Decimal("1.50"), 1.5),
        (
            [1, float("nan"), {"a": Decimal("NaN"), "b": (float("inf"), 2)}],
            [1, None, {"a": None, "b": [None, 2]}],
        ),
        ({float("nan"): 1}, {None: 1}),
        (date(2026, 7, 1), "2026-07-01"),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "2026-07-01T12:00:00+00:00"),
        (2**100, 2**100),
        (["\ud800a", {"\udfff": 1}], ["\ufffda", {"\ufffd": 1}]),
        (True, True),
    ],
)
def test_nan_and_infinity_become_null(value: Any, kept: Any) -> None:
    outcome = check_summary({"figure": value})

    assert isinstance(outcome, Completed)
    assert outcome.summary == {"figure": kept}
    assert type(outcome.summary["figure"]) is type(kept)


def test_a_figure_that_json_cannot_hold_fails_the_report() -> None:
    endless: list[Any] = []
    endless.append(endless)

    for value in ({1, 2}, object(), endless):
        failed = check_summary({"figure": value})
        assert isinstance(failed, Failed)
        assert failed.error.startswith("The report's result cannot be written as JSON: ")
