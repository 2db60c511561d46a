"""The proxy that counts what passes to the broker."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from harness.proxies.counting import CountingProxy, count_before

_PING = b"*1\r\n$4\r\nPING\r\n"
_PONG = b"+PONG\r\n"


@pytest.fixture
def server_port() -> Iterator[int]:
    """A server that answers each PING, and knows nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer, args=[listener], daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _answer(listener: socket.socket) -> None:
    try:
        connection, _ = listener.accept()
        with connection:
            while chunk := connection.recv(4096):
                connection.sendall(_PONG * chunk.count(b"PING"))
    except OSError:
        return


@pytest.fixture
def proxy(server_port: int) -> Iterator[CountingProxy]:
    with count_before(server_port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: CountingProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        yield client


def ask(client: socket.socket, *, count: int) -> None:
    """Send so many commands at once, and wait for all their answers."""
    client.sendall(_PING * count)
    received = b""
    while len(received) < count * len(_PONG):
        received += client.recv(4096)


def test_commands_that_are_sent_together_are_one_round_trip(
    proxy: CountingProxy, client: socket.socket
) -> None:
    ask(client, count=3)

    assert (proxy.commands, proxy.round_trips) == (3, 1)


def test_what_is_sent_after_an_answer_is_another_round_trip(
    proxy: CountingProxy, client: socket.socket
) -> None:
    ask(client, count=1)
    ask(client, count=1)

    assert (proxy.commands, proxy.round_trips) == (2, 2)
