"""Errors of a warehouse, with messages that name neither host, user nor password."""

from __future__ import annotations

from reports_worker.errors import ReportsError


class WarehouseError(ReportsError):
    """The warehouse cannot execute the query: a missing table or column, a value that does not fit, a write."""


class WarehouseUnavailableError(WarehouseError):
    """The warehouse does not answer, refuses the login, or the connection was lost."""


class WarehouseBusyError(WarehouseError):
    """Another program has the warehouse open for writing."""


class WarehouseTimeoutError(WarehouseError):
    """A statement took longer than a report may run."""


class WarehouseCancelledError(WarehouseError):
    """The statement was cancelled."""


class WarehouseMemoryError(WarehouseError):
    """A statement needed more memory than a report may take."""
