"""Sending of responses to clients that read slowly or not at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports_app.server.client_socket import CHUNK_BYTES, MAX_UNSENT_BYTES, ClientSocket, SlowClientError


@pytest.fixture
def ends() -> Iterator[tuple[ClientSocket, socket.socket]]:
    server, client = socket.socketpair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client.settimeout(5)
    yield ClientSocket(server), client
    server.close()
    client.close()


def read_all(sock: ClientSocket, client: socket.socket, size: int) -> bytes:
    """Read a response as its client does, while the rest is flushed."""
    got = b""
    while len(got) < size:
        sock.flush()
        got += client.recv(65536)
    return got


def test_head_and_body_are_sent_together(ends: tuple[ClientSocket, socket.socket]) -> None:
    sock, client = ends

    sock.sendall(b"head ")
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(100)
    sock.sendall(b"body")

    assert client.recv(100) == b"head body"


def test_what_follows_the_body_is_sent_at_once(ends: tuple[ClientSocket, socket.socket]) -> None:
    sock, client = ends

    for part in (b"head ", b"body ", b"more"):
        sock.sendall(part)

    assert not sock.unsent
    assert client.recv(100) == b"head body more"


def test_the_unread_part_of_a_response_is_buffered(
    ends: tuple[ClientSocket, socket.socket],
) -> None:
    sock, client = ends
    response = bytes(range(256)) * (MAX_UNSENT_BYTES // 256)

    sock.sendall(response)

    assert not sock.flush()
    assert read_all(sock, client, len(response)) == response
    assert sock.flush()


def test_a_response_that_is_too_large_to_buffer_waits_until_the_timeout(
    ends: tuple[ClientSocket, socket.socket],
) -> None:
    sock, _ = ends
    sock.settimeout(0.05)

    with pytest.raises(SlowClientError):
        sock.sendall(bytes(2 * MAX_UNSENT_BYTES))


def test_a_file_is_sent_from_the_given_offset(
    ends: tuple[ClientSocket, socket.socket], tmp_path: Path
) -> None:
    sock, client = ends
    (tmp_path / "file").write_bytes(b"ab" + b"c" * 2 * CHUNK_BYTES + b"de")

    with (tmp_path / "file").open("rb") as file:
        sock.sendfile(file, 1, 2 * CHUNK_BYTES + 2)

    assert read_all(sock, client, 2 * CHUNK_BYTES + 2) == b"b" + b"c" * 2 * CHUNK_BYTES + b"d"


def test_the_end_of_the_stream_differs_from_missing_data(
    ends: tuple[ClientSocket, socket.socket],
) -> None:
    sock, client = ends

    assert sock.receive(10) is None
    assert sock.receive(10, within=0.001) is None
    client.sendall(b"abc")
    assert sock.receive(10, within=0.001) == b"abc"
    client.close()
    assert sock.receive(10) == b""
