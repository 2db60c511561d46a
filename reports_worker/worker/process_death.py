"""How a job process ended without a result, and the error message for the user."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from reports_worker.queue.lease_timing import MOST_EXECUTIONS

_DIED = f"The process of this report has ended {MOST_EXECUTIONS} times without a result, the last time"
_ADVICE = "Contact your administrator."
_MEMORY_ADVICE = (
    "The kernel sends this signal where no memory is left, so the report may need more memory than the machine "
    "has: request a smaller report, or contact your administrator."
)
_FILES_ADVICE = (
    "The process exits with this code where it can open no connection: the report may keep too many files open "
    "(too many open files). Contact your administrator."
)


@dataclass(frozen=True)
class Death:
    """The wait status of the process, if it is known, and whether the worker has killed the process."""

    status: int | None
    by_worker: bool = False

    def __str__(self) -> str:
        if self.by_worker:
            return "because its worker killed it"
        if self._code is None:
            return "for an unknown reason"
        return f"with exit code {self._code}" if self._code >= 0 else f"by {_name_signal(-self._code)}"

    @property
    def sentence(self) -> str:
        """The error message of a report that is abandoned after this death."""
        advice: dict[int | None, str] = (
            {} if self.by_worker else {-signal.SIGKILL: _MEMORY_ADVICE, os.EX_OSERR: _FILES_ADVICE}
        )
        return f"{_DIED} {self}. {advice.get(self._code, _ADVICE)}"

    @property
    def _code(self) -> int | None:
        return None if self.status is None else os.waitstatus_to_exitcode(self.status)


def _name_signal(number: int) -> str:
    try:
        return f"the signal {signal.Signals(number).name} ({signal.strsignal(number)})"
    except ValueError:  # most real-time signals have no name
        return f"the signal {number}"
