"""Proxies that lose what a test wants lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from .tcp_proxy import CHUNK_BYTES, TcpProxy, forward_both_ways, reset


class LosingProxy(TcpProxy):
    """Forwards requests and replies; `is_lost(request)` decides when a reply is cut off with its connection."""

    def __init__(self, target_port: int, *, is_lost: Callable[[bytes], bool]) -> None:
        super().__init__(target_port)
        self._is_lost = is_lost
        self.lost = 0
        self.start()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        while request := client.recv(CHUNK_BYTES):
            server.sendall(request)
            reply = server.recv(CHUNK_BYTES)
            if self._is_lost(request):
                self.lost += 1
                return
            client.sendall(reply)


class LimitedProxy(TcpProxy):
    """Forwards both ways at once, until so many bytes have gone one way; then it resets, or says nothing."""

    def __init__(
        self,
        target_port: int,
        *,
        most_up: int | None = None,
        most_down: int | None = None,
        is_silent: bool = False,
    ) -> None:
        super().__init__(target_port)
        self._most_up, self._most_down, self._is_silent = most_up, most_down, is_silent
        self.start()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        forward_both_ways(
            threading.Thread(target=self._forward, args=(client, server, self._most_up), daemon=True),
            threading.Thread(target=self._forward, args=(server, client, self._most_down), daemon=True),
        )

    def _forward(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        count = 0
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                count += len(data)
                if most is not None and count > most:
                    self._stop(source, target)
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _stop(self, source: socket.socket, target: socket.socket) -> None:
        if self._is_silent:
            # The other direction goes on, and so does the connection.
            self.closed.wait()
            return
        reset(source)
        reset(target)
