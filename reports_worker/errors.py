"""Everything that this package raises on purpose."""

from __future__ import annotations

from dataclasses import dataclass


class ReportsError(Exception):
    """Something about reports went wrong."""


class SettingsError(ReportsError):
    """A setting has a value that it cannot have."""


class BrokerUnavailableError(ReportsError):
    """The broker does not answer, or cannot take what it was given."""


class NoSuchReportError(ReportsError):
    """There is no report of this id, or not any more."""


class NoSuchWorkerError(ReportsError):
    """There is no worker of this name, or not any more."""


class WrongStateError(ReportsError):
    """The report is not in a state in which this can be done."""


class IdempotencyConflictError(ReportsError):
    """An idempotency key was used for another request before."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field, in a sentence that says what is allowed."""

    field: str
    message: str


class InvalidSubmissionError(ReportsError):
    """A request for a report has fields at fault.

    `errors` holds them in the order of the fields; it is never empty.
    """

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = errors
