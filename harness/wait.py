"""Waiting for a condition with a deadline; an interrupted run ends every wait at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from .errors import DeadlineError, InterruptedRunError

T = TypeVar("T")

INTERRUPTED = threading.Event()
_POLL_SECONDS = 0.02


def wait_until(
    condition: Callable[[], T],
    *,
    seconds: float = 30,
    what: str = "the condition",
    every_seconds: float = _POLL_SECONDS,
) -> T:
    """Return the first true value of `condition`; raise DeadlineError, naming `what`, if none comes."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise DeadlineError(f"Waited {seconds:g} s in vain for {what}; last seen: {value!r}")
        pause(every_seconds)
    return value


def pause(seconds: float) -> None:
    """Let time pass; raise InterruptedRunError when the run is to end."""
    if INTERRUPTED.wait(seconds):
        raise InterruptedRunError("The run was interrupted.")
