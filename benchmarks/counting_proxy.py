"""A proxy before the broker that counts what passes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import hiredis


class CountingProxy:
    """Counts commands, and how often a client sent something after it had been answered."""

    def __init__(self, target_port: int) -> None:
        self.commands = 0
        self.round_trips = 0
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    def serve(self) -> None:
        """Accept connections until the proxy is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target_port))
            self._sockets += [client, server]
            _Passage(self, client, server).start()

    def close(self) -> None:
        # A thread that waits in accept() is woken by shutdown, not by close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            one.close()

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

    def start(self) -> None:
        for passing in (self._pass_requests, self._pass_answers):
            threading.Thread(target=passing, daemon=True).start()

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
    try:
        while chunk := source.recv(65536):
            yield chunk
    except OSError:
        return


@contextmanager
def count_before(target_port: int) -> Iterator[CountingProxy]:
    """Run a proxy before the broker on this port."""
    proxy = CountingProxy(target_port)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
