"""A gunicorn worker that leaves new connections to processes that have fewer."""

from __future__ import annotations

import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# For each connection that the process has, up to a few: long enough for another process to come first.
YIELD_SECONDS = 0.0001
MOST_COUNTED = 5


class FairWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Shares out connections that stay open.

    All processes wait at one socket. Whoever wakes first would take all connections of a client that opens
    some at once and keeps them, and serve them with one core, while the others have nothing to do.
    """

    def accept(self, listener: Any) -> None:
        time.sleep(min(self.nr_conns, MOST_COUNTED) * YIELD_SECONDS)
        super().accept(listener)
