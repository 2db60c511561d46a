"""A gunicorn worker that shares out connections, and stays with one that asks again at once."""

from __future__ import annotations

import select
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# For each connection that the process has, up to a few: long enough for another process to come first.
YIELD_SECONDS = 0.0001
MOST_COUNTED = 5
# How long a thread waits for the next request of a connection, and how often in a row.
STAY_MILLISECONDS = 1
MOST_IN_A_ROW = 100


class FairWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Shares out connections that stay open.

    All processes wait at one socket. Whoever wakes first would take all connections of a client that opens
    some at once and keeps them, and serve them with one core, while the others have nothing to do.

    A thread that has answered stays with its connection for a moment, while nobody waits for a thread:
    handing the connection to the main thread and back costs more than many an answer.
    """

    def accept(self, listener: Any) -> None:
        time.sleep(min(self.nr_conns, MOST_COUNTED) * YIELD_SECONDS)
        super().accept(listener)

    def handle(self, conn: Any) -> Any:
        kept = super().handle(conn)
        for _ in range(MOST_IN_A_ROW):
            if kept is not True or not self._stay(conn):
                break
            kept = super().handle(conn)
        return kept

    def _stay(self, conn: Any) -> bool:
        """Tell whether the connection asks again at once, while no other waits for this thread."""
        if not self.alive or conn.is_http2 or not self.tpool._work_queue.empty():
            return False
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(STAY_MILLISECONDS))
