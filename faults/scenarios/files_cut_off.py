"""SIGKILL to the worker and to what it makes, amid the files of a report."""

from __future__ import annotations

from faults.attempts.steps import IN_MAKING
from faults.deployment import Needs
from faults.fault import Fault

from .both_killed import inject

FAULTS = (
    Fault(
        "files-cut-off",
        "SIGKILL to the worker and the job process amid files, of which none stays half-written",
        IN_MAKING,
        inject,
        # A report with files takes half a second of a processor, and needs no other.
        Needs(files=True, report_seconds="0", submit_every_seconds=2.0),
    ),
)
