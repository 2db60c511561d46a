"""The exceptions of this package."""

from __future__ import annotations

from dataclasses import dataclass


class ReportsError(Exception):
    """The base class of all errors of this package."""


class SettingsError(ReportsError):
    """A setting has a value that is not valid."""


class DefinitionError(ReportsError):
    """The definition of a report type is not valid."""


class ParameterError(ReportsError):
    """A value is not valid for its parameter."""


class BrokerUnavailableError(ReportsError):
    """The broker does not answer, or cannot execute a command.

    `sentence` is the message for users: it names neither addresses nor user names.
    """

    sentence = "The broker cannot be reached, so nothing was confirmed. Try again in a moment."

    def __init__(self, message: str, *, sentence: str | None = None) -> None:
        super().__init__(message)
        if sentence is not None:
            self.sentence = sentence


class UnconfirmedError(BrokerUnavailableError):
    """A report was written, and too few replicas of the broker confirmed it in time."""

    def __init__(self, replicas: int, wanted: int) -> None:
        super().__init__(
            f"The report was written, but {replicas} of {wanted} replicas have confirmed it.",
            sentence="Too few replicas of the broker have confirmed the report, so the report is not accepted, but it "
            "may run. Send the request again with the same Idempotency-Key: this creates no second report.",
        )


class NoSuchReportError(ReportsError):
    """There is no report with this id, or no longer."""


class NoSuchWorkerError(ReportsError):
    """There is no worker with this name, or no longer."""


class WrongStateError(ReportsError):
    """The state of the report does not allow this operation."""


class IdempotencyConflictError(ReportsError):
    """The idempotency key was used for another request."""


@dataclass(frozen=True)
class FieldError:
    """The error of one field, with a message that names the allowed values."""

    field: str
    message: str


class InvalidSubmissionError(ReportsError):
    """A request for a report has fields that are not valid.

    `errors` has one error for each such field, in the order of the fields; it is never empty.
    """

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = errors
