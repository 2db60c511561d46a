"""Proxies between a client and a server that lose what a test wants lost."""

from __future__ import annotations

import socket
import struct
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


class Pipe:
    """Forwards both ways at once, until so many bytes have gone one way; then it resets, or says nothing."""

    def __init__(
        self, port: int, *, most_up: int | None = None, most_down: int | None = None, is_silent: bool = False
    ) -> None:
        self._target = port
        self._most_up, self._most_down, self._is_silent = most_up, most_down, is_silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                for source, target, most in (
                    (client, server, self._most_up),
                    (server, client, self._most_down),
                ):
                    threading.Thread(target=self._forward, args=(source, target, most), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        count = 0
        with suppress(OSError):
            while data := source.recv(65536):
                count += len(data)
                if most is not None and count > most:
                    if not self._is_silent:
                        _reset(source)
                        _reset(target)
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def _reset(one: socket.socket) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Another thread may be waiting for data of it: closing alone would not be noticed.
    with suppress(OSError):
        one.shutdown(socket.SHUT_RD)
    one.close()
