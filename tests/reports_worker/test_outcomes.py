"""What an error that ended a making means to whoever asked for the report."""

from __future__ import annotations

import errno

import pytest

from reports_worker.artifacts import StorageError
from reports_worker.errors import DefinitionError, ReportsError
from reports_worker.formats.errors import ChartError, TooManyRowsError, UnfitRowsError
from reports_worker.model import Reason
from reports_worker.outcomes import LONGEST_ERROR, explain
from reports_worker.warehouse.errors import (
    WarehouseBusyError,
    WarehouseCancelledError,
    WarehouseError,
    WarehouseMemoryError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)


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
def test_what_is_raised_on_purpose_speaks_for_itself(kind: type[Exception], reason: Reason) -> None:
    failed = explain(kind("Ask again tomorrow."))

    assert (failed.reason, failed.error) == (reason, "Ask again tomorrow.")


def test_too_many_rows_are_too_large_with_the_numbers() -> None:
    failed = explain(TooManyRowsError(1001, 1000, "orders"))

    assert failed.reason is Reason.TOO_LARGE
    assert "more than the 1,000 rows that it may have (REPORTS_MAX_ROWS): 1,001 had been read" in failed.error


@pytest.mark.parametrize(
    ("error", "reason", "sentence"),
    [
        (MemoryError("cannot allocate"), Reason.MEMORY, "more memory than there is"),
        (OSError(errno.ENOSPC, "full", "/srv/secret"), Reason.STORAGE_UNAVAILABLE, "no space left"),
        (OSError(errno.EDQUOT, "quota", "/srv/secret"), Reason.STORAGE_UNAVAILABLE, "no space left"),
    ],
)
def test_what_the_machine_lacks_is_said_without_its_words(
    error: Exception, reason: Reason, sentence: str
) -> None:
    failed = explain(error)

    assert failed.reason is reason
    assert sentence in failed.error
    assert "secret" not in failed.error


def test_whatever_else_is_named_and_cut() -> None:
    failed = explain(KeyError("x" * 10_000))

    assert failed.error.startswith("The report could not be made: KeyError: 'xxx")
    assert len(failed.error) <= LONGEST_ERROR + 50
