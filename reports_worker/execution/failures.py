"""What a making came to: whether its figures can be kept, and what an error means to who asked."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from typing import Any

from reports_worker.artifacts import StorageError
from reports_worker.domain.report import Completed, Failed, Outcome, Reason
from reports_worker.errors import ReportsError
from reports_worker.formats.errors import TooManyRowsError
from reports_worker.lib.masking import SecretMask, describe, say
from reports_worker.lib.units import format_size
from reports_worker.warehouse.errors import (
    WarehouseBusyError,
    WarehouseMemoryError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)

from .figures import to_json

LONGEST_ERROR = 500
# It is read with every page of the list.
LARGEST_SUMMARY = 64 * 2**10
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_MEMORY = "The report needs more memory than there is. Ask for less, or tell who runs this."
_NO_SPACE = (
    "There is no space left where the report's files are written. Try again later, or tell who runs this."
)
# Whose own sentences are for whoever asked.
_REASONS: Mapping[type[Exception], Reason] = {
    StorageError: Reason.STORAGE_UNAVAILABLE,
    WarehouseBusyError: Reason.WAREHOUSE_BUSY,
    WarehouseUnavailableError: Reason.WAREHOUSE_UNAVAILABLE,
    WarehouseTimeoutError: Reason.TIMEOUT,
    WarehouseMemoryError: Reason.MEMORY,
    TooManyRowsError: Reason.TOO_LARGE,
    ReportsError: Reason.ERROR,
}


def check_summary(summary: Mapping[str, Any]) -> Outcome:
    """Tell whether figures can be kept: as JSON, and not larger than figures are. They are given as they are kept."""
    try:
        figures = to_json(dict(summary))
        size = len(json.dumps(figures, allow_nan=False))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return Failed(Reason.ERROR, f"The report's result cannot be written as JSON: {error}"[:LONGEST_ERROR])
    if size > LARGEST_SUMMARY:
        return Failed(
            Reason.TOO_LARGE,
            f"The report's result takes {format_size(size)} as JSON, and {format_size(LARGEST_SUMMARY)} are "
            "allowed: it is for figures, not for rows. Ask for less, or tell who wrote this type.",
        )
    return Completed(figures)


def explain(error: BaseException, secrets: SecretMask | None = None) -> Failed:
    """Say what an error that ended a making means; without the `secrets`, by default those of this process."""
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return Failed(reason, say(error, length=LONGEST_ERROR, secrets=secrets))
    if isinstance(error, MemoryError):
        return Failed(Reason.MEMORY, _NO_MEMORY)
    if isinstance(error, OSError) and error.errno in _FULL:
        return Failed(Reason.STORAGE_UNAVAILABLE, _NO_SPACE)
    words = describe(error, length=LONGEST_ERROR, secrets=secrets)
    return Failed(Reason.ERROR, f"The report could not be made: {words}")
