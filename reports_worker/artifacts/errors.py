"""Errors of the store, with messages that name neither paths nor keys."""

from __future__ import annotations

import errno

from reports_worker.errors import ReportsError

AWAY = "The file store is not available. Try again in a moment, or contact your administrator."
FULL = "The file store is full. Contact your administrator."
REFUSED = "The file store refuses access. Contact your administrator."
GONE = "This file was removed from the file store. Request the report again."
CHANGED = "This file was changed in the file store. Request the report again."


class StorageError(ReportsError):
    """The store does not answer, refuses access, or is full."""


class ArtifactGoneError(ReportsError):
    """The file was removed from the store, or was changed."""


def to_storage_error(error: BaseException) -> StorageError:
    """Return the storage error for an OS or client error, whose own text may hold paths and addresses."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(FULL)
    return StorageError(REFUSED if isinstance(error, PermissionError) else AWAY)
