"""Graceful shutdown of a server process: on SIGTERM, all long polls end at once."""

from __future__ import annotations

import os
import signal
import threading
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from reports_app.services.container import EXTENSION, Services


def end_waits_on_sigterm(app: Any) -> None:
    """End all long polls on SIGTERM, before the server's own handler runs.

    Call this on the main thread of each process. Does nothing if `app` is no Flask application of the product.
    """
    services = getattr(app, "extensions", {}).get(EXTENSION)
    handle = signal.getsignal(signal.SIGTERM)
    if not isinstance(services, Services) or not callable(handle):
        return

    def end(number: int, frame: FrameType | None) -> None:
        # On a thread: the code that the signal interrupts may hold the lock that `end_waits` takes.
        threading.Thread(target=services.completions.end_waits, name="end-waits").start()
        handle(number, frame)

    signal.signal(signal.SIGTERM, end)
    # As gunicorn does: the signal does not interrupt system calls.
    signal.siginterrupt(signal.SIGTERM, False)


def resend_early_sigterm(signals: SimpleQueue[int]) -> None:
    """Send the process a SIGTERM again that arrived before the process had its own handler.

    `signals` is the queue into which the arbiter's handler has put such a signal.
    """
    while True:
        try:
            number = signals.get_nowait()
        except Empty:
            return
        if number == signal.SIGTERM:
            os.kill(os.getpid(), signal.SIGTERM)
