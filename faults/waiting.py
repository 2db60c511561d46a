"""Waiting for a condition with a deadline; an interrupted run ends every wait at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from .errors import FaultsError, InterruptedRunError

T = TypeVar("T")

INTERRUPTED = threading.Event()
_POLL_SECONDS = 0.05


def wait_until(
    condition: Callable[[], T], *, seconds: float, what: str, every_seconds: float = _POLL_SECONDS
) -> T:
    """Return the first true value of `condition`; raise FaultsError, naming `what`, if none comes."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise FaultsError(f"Waited {seconds:g} s in vain for {what}.")
        pause(every_seconds)
    return value


def pause(seconds: float) -> None:
    """Let time pass; raise InterruptedRunError when the run is to end."""
    if INTERRUPTED.wait(seconds):
        raise InterruptedRunError("The run was interrupted.")
