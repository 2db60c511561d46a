"""Waiting for a condition with a deadline, since nothing here may sleep and hope."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.02


def wait_until(condition: Callable[[], T], *, seconds: float = 20, what: str = "the condition") -> T:
    """Return the first true value of `condition`; fail, naming `what`, when none comes in time."""
    never = threading.Event()
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s; last seen: {value!r}")
        never.wait(_POLL_SECONDS)
    return value
