"""How answers are sent to clients who read slowly, or not at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports_app.server.client_socket import MOST_BYTES_UNSENT, PIECE_BYTES, ClientSocket, NotTakenError


@pytest.fixture
def ends() -> Iterator[tuple[ClientSocket, socket.socket]]:
    ours, client = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client.settimeout(5)
    yield ClientSocket(ours), client
    ours.close()
    client.close()


def read_all(sock: ClientSocket, client: socket.socket, size: int) -> bytes:
    """Read an answer as its client does, while the rest is flushed."""
    got = b""
    while len(got) < size:
        sock.flush()
        got += client.recv(65536)
    return got


def test_head_and_body_are_sent_together(ends: tuple[ClientSocket, socket.socket]) -> None:
    sock, client = ends

    sock.sendall(b"head ")
    sock.sendall(b"body")
    assert sock.receive(1) is None

    assert sock.flush()
    assert client.recv(100) == b"head body"


def test_an_answer_is_kept_as_far_as_the_client_does_not_take_it(
    ends: tuple[ClientSocket, socket.socket],
) -> None:
    sock, client = ends
    answer = bytes(range(256)) * (MOST_BYTES_UNSENT // 256)

    sock.sendall(answer)

    assert not sock.flush()
    assert read_all(sock, client, len(answer)) == answer
    assert sock.flush()


def test_an_answer_too_large_to_be_kept_waits_for_its_client_no_longer_than_it_may(
    ends: tuple[ClientSocket, socket.socket],
) -> None:
    sock, _ = ends
    sock.settimeout(0.05)

    with pytest.raises(NotTakenError):
        sock.sendall(bytes(2 * MOST_BYTES_UNSENT))


def test_a_file_is_sent_from_where_it_is_asked(
    ends: tuple[ClientSocket, socket.socket], tmp_path: Path
) -> None:
    sock, client = ends
    (tmp_path / "file").write_bytes(b"ab" + b"c" * 2 * PIECE_BYTES + b"de")

    with (tmp_path / "file").open("rb") as file:
        sock.sendfile(file, 1, 2 * PIECE_BYTES + 2)

    assert read_all(sock, client, 2 * PIECE_BYTES + 2) == b"b" + b"c" * 2 * PIECE_BYTES + b"d"


def test_the_end_of_what_a_client_sends_is_told_from_nothing(
    ends: tuple[ClientSocket, socket.socket],
) -> None:
    sock, client = ends

    assert sock.receive(10) is None
    assert sock.receive(10, within=0.001) is None
    client.sendall(b"abc")
    assert sock.receive(10, within=0.001) == b"abc"
    client.close()
    assert sock.receive(10) == b""
