"""Everything that this package raises on purpose."""

from __future__ import annotations

from dataclasses import dataclass


class ReportsError(Exception):
    """Something about reports went wrong."""


class SettingsError(ReportsError):
    """A setting has a value that it cannot have."""


class DefinitionError(ReportsError):
    """The definition of a type of report contradicts itself."""


class ParameterError(ReportsError):
    """A value is none that a parameter can have."""


class BrokerUnavailableError(ReportsError):
    """The broker does not answer, or cannot take what it was given.

    `sentence` says so to people elsewhere: it names neither addresses nor users.
    """

    sentence = "The broker cannot be reached, so nothing was confirmed. Try again in a moment."

    def __init__(self, message: str, *, sentence: str | None = None) -> None:
        super().__init__(message)
        if sentence is not None:
            self.sentence = sentence


class UnconfirmedError(BrokerUnavailableError):
    """A report was written, and too few replicas of the broker said in time that they have it."""

    def __init__(self, replicas: int, wanted: int) -> None:
        super().__init__(
            f"The report was written, but {replicas} of {wanted} replicas have confirmed it.",
            sentence="Too few replicas of the broker have confirmed the report, so it is not accepted, but "
            "it may be made. Ask again with the same Idempotency-Key: that makes no second one.",
        )


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
