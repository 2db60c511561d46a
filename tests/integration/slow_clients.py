"""Clients that send slowly or nothing, many at once, who come back as soon as they are sent away."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (
    b"POST /api/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 500\r\n\r\n{"title": "'
)
IDLE = b""
DRIP_SECONDS = 0.5


class SlowClients:
    """So many connections for each beginning, on a thread; all but idle ones send a byte now and then."""

    def __init__(self, port: int, beginnings: Sequence[bytes], *, each: int) -> None:
        self.returned = 0
        self._port = port
        self._beginnings = [beginning for beginning in beginnings for _ in range(each)]
        self._selector = selectors.DefaultSelector()
        self._ready, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for beginning in self._beginnings:
                self._connect(beginning)
            self._ready.set()
            while not self._ended.wait(DRIP_SECONDS):
                self._return()
                self._drip()
        finally:
            for key in list(self._selector.get_map().values()):
                self._end(key)
            self._selector.close()

    def _connect(self, beginning: bytes) -> None:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        self._selector.register(client, selectors.EVENT_READ, beginning)
        client.sendall(beginning)
        client.setblocking(False)

    def _return(self) -> None:
        for key, _ in self._selector.select(0):
            # Answered or closed: either way it was sent away.
            self._end(key)
            self.returned += 1
            self._connect(key.data)

    def _drip(self) -> None:
        for key in self._selector.get_map().values():
            if key.data != IDLE:
                try:
                    key.fileobj.send(b"x")  # type: ignore[union-attr]  # they are sockets
                except OSError:
                    # It is about to be seen that it was sent away.
                    continue

    def _end(self, key: selectors.SelectorKey) -> None:
        self._selector.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr]  # they are sockets


@contextmanager
def attack(port: int, *beginnings: bytes, each: int) -> Iterator[SlowClients]:
    """Have slow clients connected; they end with the block."""
    clients = SlowClients(port, beginnings, each=each)
    clients.start()
    try:
        yield clients
    finally:
        clients.end()
