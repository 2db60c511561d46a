"""The outcome of an execution: whether its figures can be stored, and how an error is reported to the user."""

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
# Each page of the list reads the summaries of its reports.
LARGEST_SUMMARY = 64 * 2**10
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_MEMORY = (
    "The report needs more memory than the machine has. "
    "Request a smaller report, or contact your administrator."
)
_NO_SPACE = (
    "The disk where the report's files are written is full. Try again later, or contact your administrator."
)
# Errors whose own messages are written for users.
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
    """Return the figures as stored, or a failure if they are not JSON or larger than `LARGEST_SUMMARY`."""
    try:
        figures = to_json(dict(summary))
        size = len(json.dumps(figures, allow_nan=False))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return Failed(Reason.ERROR, f"The report's result cannot be written as JSON: {error}"[:LONGEST_ERROR])
    if size > LARGEST_SUMMARY:
        return Failed(
            Reason.TOO_LARGE,
            f"The report's result takes {format_size(size)} as JSON, and {format_size(LARGEST_SUMMARY)} are "
            "allowed: the result is for figures, not for rows. Request a smaller report, or contact the author "
            "of this report type.",
        )
    return Completed(figures)


def to_failure(error: BaseException, secrets: SecretMask | None = None) -> Failed:
    """Return the failure for an error that ended an execution, with `secrets` masked.

    `secrets` are by default the secrets that this process knows.
    """
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return Failed(reason, say(error, length=LONGEST_ERROR, secrets=secrets))
    if isinstance(error, MemoryError):
        return Failed(Reason.MEMORY, _NO_MEMORY)
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return Failed(Reason.STORAGE_UNAVAILABLE, _NO_SPACE)
    description = describe(error, length=LONGEST_ERROR, secrets=secrets)
    return Failed(Reason.ERROR, f"The report failed: {description}")
