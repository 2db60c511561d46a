"""Ports of the loopback for servers that are started here."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress
from itertools import cycle

# Below what Linux gives to clients (ip_local_port_range), and in another order in each process.
_PORTS = cycle(random.SystemRandom().sample(range(15_000, 32_000), 17_000))
_LOCK = threading.Lock()


def free_port() -> int:
    """Choose a port that stays free while its server is down: none that the kernel gives to clients."""
    with _LOCK:
        while True:
            port = next(_PORTS)
            with socket.socket() as listener, suppress(OSError):
                listener.bind(("127.0.0.1", port))
                return port
