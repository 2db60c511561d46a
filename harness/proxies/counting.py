"""A proxy before the broker that counts what passes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import hiredis

from .tcp_proxy import CHUNK_BYTES, TcpProxy, forward_both_ways


class CountingProxy(TcpProxy):
    """Counts commands, and how often a client sent something after it had been answered."""

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.commands = 0
        self.round_trips = 0
        self._lock = threading.Lock()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        _Passage(self, client, server).run()

    def count(self, *, commands: int, round_trips: int) -> None:
        with self._lock:
            self.commands += commands
            self.round_trips += round_trips


class _Passage:
    """One connection through the proxy."""

    def __init__(self, proxy: CountingProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._requests = hiredis.Reader()
        self._is_answered = True

    def run(self) -> None:
        forward_both_ways(
            threading.Thread(target=self._pass_requests, daemon=True),
            threading.Thread(target=self._pass_answers, daemon=True),
        )

    def _pass_requests(self) -> None:
        for chunk in _receive(self._client):
            self._requests.feed(chunk)
            commands = 0
            while self._requests.gets() is not False:
                commands += 1
            self._proxy.count(commands=commands, round_trips=int(self._is_answered))
            self._is_answered = False
            self._server.sendall(chunk)

    def _pass_answers(self) -> None:
        for chunk in _receive(self._server):
            self._is_answered = True
            self._client.sendall(chunk)


def _receive(source: socket.socket) -> Iterator[bytes]:
    with suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            yield chunk


@contextmanager
def count_before(target_port: int) -> Iterator[CountingProxy]:
    """Run a proxy before the broker on this port."""
    proxy = CountingProxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
