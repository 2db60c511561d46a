"""What can go wrong with files, as sentences that name neither paths nor keys."""

from __future__ import annotations

from reports_worker.errors import ReportsError


class StorageError(ReportsError):
    """The place where files are kept does not answer, refuses, or is full."""


class ArtifactGoneError(ReportsError):
    """The file was there once, and is not any more, or is not what it was."""
