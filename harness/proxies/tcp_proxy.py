"""A proxy on the loopback: it accepts connections, and hands each on with a connection to the server."""

from __future__ import annotations

import socket
import struct
import threading
from abc import ABC, abstractmethod
from contextlib import suppress

CHUNK_BYTES = 65536
# Closing such a socket sends a reset.
_RESET = struct.pack("ii", 1, 0)


class TcpProxy(ABC):
    """Forwards between clients and the server on `target_port`, in the way of the subclass."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.closed = threading.Event()
        self._open: list[socket.socket] = []

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept nothing more, and end every connection."""
        self.closed.set()
        # A thread that waits for one of these is woken by shutdown, not by close.
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @abstractmethod
    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Forward what comes, on a thread of this connection; afterwards both sockets are closed."""

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # A socket that another thread has closed has no descriptor to wait for: that is a ValueError.
        address = ("127.0.0.1", self._target_port)
        with client, suppress(OSError, ValueError), socket.create_connection(address) as server:
            self._open += [client, server]
            self.serve(client, server)


def forward_both_ways(forward_up: threading.Thread, forward_down: threading.Thread) -> None:
    """Run the threads of both directions to their ends."""
    for thread in (forward_up, forward_down):
        thread.start()
    for thread in (forward_up, forward_down):
        thread.join()


def reset(one: socket.socket) -> None:
    """End a connection with a reset."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    # Another thread may wait for its data: closing alone would not be noticed.
    with suppress(OSError):
        one.shutdown(socket.SHUT_RD)
    one.close()
