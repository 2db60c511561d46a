"""The page and the JSON that show resources and take commands."""

from __future__ import annotations

import logging
import threading

import waitress

from apphost.processes.ports import LOOPBACK
from apphost.supervision.supervisor import Supervisor

from .app import create_dashboard

THREADS = 6
MOST_CONNECTIONS = 500
IDLE_SECONDS = 10


def start(supervisor: Supervisor, *, port: int, token: str) -> None:
    """Serve on loopback from a thread, until the process ends."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    server = waitress.create_server(
        create_dashboard(supervisor, port=port, token=token),
        host=LOOPBACK,
        port=port,
        threads=THREADS,
        # Connections without a whole request cost no thread, so there may be many; poll has no limit of its own.
        connection_limit=MOST_CONNECTIONS,
        channel_timeout=IDLE_SECONDS,
        asyncore_use_poll=True,
    )
    threading.Thread(target=server.run, name="dashboard", daemon=True).start()
