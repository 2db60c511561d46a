"""Everything that this package raises on purpose."""

from __future__ import annotations


class HarnessError(Exception):
    """What was started cannot be worked with."""


class DeadlineError(HarnessError, AssertionError):
    """A condition did not come true in time; for a test, this is a failed assertion."""


class MissingToolError(HarnessError):
    """The machine lacks a program or a permission."""


class UnexpectedAnswerError(HarnessError):
    """A server answered with an error."""


class InterruptedRunError(HarnessError):
    """The run was interrupted by the person who started it."""
