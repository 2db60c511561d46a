"""A proxy between client and broker that loses what a test wants lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Proxy:
    """Forwards bytes both ways; `is_lost(request)` decides when a reply is cut off with its connection."""

    def __init__(self, port: int, *, is_lost: Callable[[bytes], bool]) -> None:
        self._target = port
        self._is_lost = is_lost
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as broker, suppress(OSError):
            while request := client.recv(65536):
                broker.sendall(request)
                reply = broker.recv(65536)
                if self._is_lost(request):
                    self.lost += 1
                    return
                client.sendall(reply)
