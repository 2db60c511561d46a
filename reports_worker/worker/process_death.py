"""How a process that made a report ended without a result, and the sentence about it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from reports_worker.queue.lease_timing import MOST_EXECUTIONS

_DIED = (
    f"The process that makes this report has ended {MOST_EXECUTIONS} times without a result, the last time"
)
_TELL = "Tell who runs this."
_MEMORY = (
    "That is what the kernel does where no memory is left, so the report may need more memory than there is: "
    "ask for less, or tell who runs this."
)
_FILES = (
    "That is how it ends where it can open no connection: the report may keep too many files open (too many open "
    "files). Tell who runs this."
)


@dataclass(frozen=True)
class Death:
    """The wait status of such a process, if it is known, and whether its own worker has ended it."""

    status: int | None
    by_worker: bool = False

    def __str__(self) -> str:
        if self.by_worker:
            return "because its worker ended it"
        if self._code is None:
            return "in a way that is not known"
        return f"with exit code {self._code}" if self._code >= 0 else f"by {_name_signal(-self._code)}"

    @property
    def sentence(self) -> str:
        """Why a report is abandoned whose last process ended so."""
        meanings: dict[int | None, str] = (
            {} if self.by_worker else {-signal.SIGKILL: _MEMORY, os.EX_OSERR: _FILES}
        )
        return f"{_DIED} {self}. {meanings.get(self._code, _TELL)}"

    @property
    def _code(self) -> int | None:
        return None if self.status is None else os.waitstatus_to_exitcode(self.status)


def _name_signal(number: int) -> str:
    try:
        return f"the signal {signal.Signals(number).name} ({signal.strsignal(number)})"
    except ValueError:  # most real-time signals have no name
        return f"the signal {number}"
