"""The proxy that cuts a worker off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from harness.proxies.interrupting import Catch, InterruptingProxy, Mode
from harness.wait import wait_until


class Echo:
    """A server that answers with what it was sent."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while chunk := connection.recv(4096):
                self.received.append(chunk)
                connection.sendall(chunk)


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[InterruptingProxy]:
    proxy = InterruptingProxy(echo.port, seed=1)
    proxy.start()
    yield proxy
    proxy.close()


@pytest.fixture
def client(proxy: InterruptingProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        client.sendall(b"one")
        assert client.recv(100) == b"one"
        yield client


def test_what_was_dropped_arrives_late(proxy: InterruptingProxy, client: socket.socket, echo: Echo) -> None:
    proxy.mode = Mode.DROP
    client.sendall(b"two")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(100)
    assert echo.received == [b"one"]

    proxy.mode = Mode.PASS
    client.settimeout(10)

    assert client.recv(100) == b"two"


def test_a_reset_ends_connections_hard(proxy: InterruptingProxy, client: socket.socket) -> None:
    proxy.mode = Mode.RESET

    with pytest.raises(ConnectionResetError):
        client.recv(100)


def test_a_lost_reply_was_done_by_the_broker(
    proxy: InterruptingProxy, client: socket.socket, echo: Echo
) -> None:
    proxy.mode = Mode.LOSE_REPLIES
    client.sendall(b"two")

    assert client.recv(100) == b""
    assert echo.received == [b"one", b"two"]


@pytest.mark.parametrize("is_done", [False, True])
def test_a_caught_request_gets_no_answer(
    proxy: InterruptingProxy, client: socket.socket, echo: Echo, *, is_done: bool
) -> None:
    proxy.catch = caught = Catch(b"two", is_done=is_done)
    client.sendall(b"two")

    assert caught.caught.wait(10)
    if is_done:
        wait_until(lambda: b"two" in echo.received, what="what the broker was sent")
    assert (b"two" in echo.received) is is_done
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(100)
