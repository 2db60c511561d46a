"""What a server process does first when it is told to end: it answers those who wait for reports."""

from __future__ import annotations

import os
import signal
import threading
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from reports_app.services.container import EXTENSION, Services


def answer_waits_on_sigterm(app: Any) -> None:
    """Put this before the server's own handler of SIGTERM; call it on the main thread of each process.

    `app` is the Flask application; whatever else the server runs is left alone.
    """
    services = getattr(app, "extensions", {}).get(EXTENSION)
    handle = signal.getsignal(signal.SIGTERM)
    if not isinstance(services, Services) or not callable(handle):
        return

    def end(number: int, frame: FrameType | None) -> None:
        # On a thread: what the signal interrupts may hold the lock that this needs.
        threading.Thread(target=services.completions.end_waits, name="end-waits").start()
        handle(number, frame)

    signal.signal(signal.SIGTERM, end)
    # As gunicorn has it: what runs is not disturbed in its system calls.
    signal.siginterrupt(signal.SIGTERM, False)


def heed_early_sigterm(signals: SimpleQueue[int]) -> None:
    """Have SIGTERM handled that came before the process had a handler of its own, and was only queued."""
    while True:
        try:
            number = signals.get_nowait()
        except Empty:
            return
        if number == signal.SIGTERM:
            os.kill(os.getpid(), signal.SIGTERM)
