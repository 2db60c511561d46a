"""Gates: a worker with gates stops at the step that the suite has armed, until the suite lets it go on.

A gate is a file named by its step. Whoever comes first renames it and waits until it is gone.
"""

from __future__ import annotations

import time
from pathlib import Path

from faults.attempts.attempt_file import AttemptFile, Event
from faults.attempts.steps import Step

_POLL_SECONDS = 0.01
_HELD = ".held"


def pass_gate(folder: Path, step: Step, attempts: AttemptFile, *, task_id: str, attempt: str) -> None:
    """Wait here if this gate is armed; in the worker or in the job process."""
    held = folder / (step + _HELD)
    try:
        (folder / step).rename(held)
    except FileNotFoundError:
        return
    attempts.write(Event.HELD, task_id=task_id, attempt=attempt)
    while held.exists():
        time.sleep(_POLL_SECONDS)


class Gates:
    """The gates of one worker, as the suite has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def arm(self, step: Step) -> None:
        (self.folder / step).touch()

    def open(self) -> None:
        """Let whatever waits go on, and hold nothing any more."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)
