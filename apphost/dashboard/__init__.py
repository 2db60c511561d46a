"""The dashboard: pages and a JSON API that show resources and accept commands."""

from __future__ import annotations

import logging
import threading

import waitress

from apphost.processes.ports import LOOPBACK
from apphost.supervision.supervisor import Supervisor

from .app import create_dashboard

THREADS = 6
MAX_CONNECTIONS = 500
IDLE_SECONDS = 10


def start(supervisor: Supervisor, *, port: int, token: str) -> None:
    """Serve the dashboard on loopback in a thread until the process ends."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    server = waitress.create_server(
        create_dashboard(supervisor, port=port, token=token),
        host=LOOPBACK,
        port=port,
        threads=THREADS,
        # Connections with an incomplete request occupy no thread, so the limit is high; poll has no limit of its own.
        connection_limit=MAX_CONNECTIONS,
        channel_timeout=IDLE_SECONDS,
        asyncore_use_poll=True,
    )
    threading.Thread(target=server.run, name="dashboard", daemon=True).start()
