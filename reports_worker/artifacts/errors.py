"""What can go wrong with files, as sentences that name neither paths nor keys."""

from __future__ import annotations

import errno

from reports_worker.errors import ReportsError

AWAY = "The place where files are kept cannot be used now. Try again in a moment, or tell who runs this."
FULL = "There is no space left where files are kept. Tell who runs this."
REFUSED = "The place where files are kept refuses our access. Tell who runs this."
GONE = "This file was there and is not any more: somebody removed it. Ask for the report again."
CHANGED = "This file is not what it was when it was made. Ask for the report again."


class StorageError(ReportsError):
    """The place where files are kept does not answer, refuses, or is full."""


class ArtifactGoneError(ReportsError):
    """The file was there once, and is not any more, or is not what it was."""


def explain(error: BaseException) -> StorageError:
    """Say what an error means; what it was itself may hold paths and addresses, and is for logs alone."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(FULL)
    return StorageError(REFUSED if isinstance(error, PermissionError) else AWAY)
