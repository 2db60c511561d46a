"""One request gets one response, also if its body is invalid or an error follows the response."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_app.server.client_connection import ClientConnection
from reports_app.server.gunicorn_worker import SharingThreadWorker

HEAD = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b'3;a="b"\r\nabc\r\n0\r\nX: a\r\n\r\n'
INVALID = [
    b"0\r\nbad\r\n\r\n",
    b"0\r\nX: a\n\r\n\r\n",
    b'3;a="b\r"\r\nabc\r\n0\r\n\r\n',
    b"3;=\r\nabc\r\n0\r\n\r\n",
]
pieces = st.sampled_from([b"\r", b"\n", b"\r\n", b"0", b"3", b";", b'"', b":", b"a", b"\x00", b" ", b"\xff"])


class Worker(SharingThreadWorker):
    """A worker without threads, whose application reads no body."""

    def __init__(self) -> None:
        super().__init__(1, 1, [], None, 30, Config(), Logger(Config()))
        self.tmp.close()
        # Another request waits, so the worker handles one request at a time.
        self.tpool = SimpleNamespace(_work_queue=SimpleNamespace(empty=lambda: False))
        self.wsgi: Any = not_found

    def __new__(cls) -> Any:
        return object.__new__(cls)


def not_found(_: Any, start_response: Callable[..., Any]) -> list[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return []


def read_body(environ: Any, start_response: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def ask(worker: Worker, request: bytes) -> tuple[bytes, bool]:
    """Return what the worker sends, and whether it keeps the connection."""
    client, accepted = socket.socketpair()
    with client, accepted:
        client.settimeout(5)
        conn = ClientConnection(worker.cfg, accepted, ("127.0.0.1", 1), ("127.0.0.1", 8000))
        client.sendall(request)
        conn.receive()
        kept = conn.is_ready and worker.handle(conn) is True
        conn.flush()
        accepted.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b"")), kept


@pytest.mark.parametrize("body", INVALID)
def test_an_invalid_body_that_the_application_does_not_read_gets_one_response(body: bytes) -> None:
    response, kept = ask(Worker(), HEAD + body)

    assert response.count(b"HTTP/1.1 ") == 1
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in response
    assert not kept


@settings(deadline=None)
@given(place=st.integers(0, len(BODY)), length=st.integers(0, 4), put=st.lists(pieces, max_size=4))
def test_a_damaged_body_never_gets_two_responses(place: int, length: int, put: list[bytes]) -> None:
    body = BODY[:place] + b"".join(put) + BODY[place + length :]

    response, kept = ask(Worker(), HEAD + body)

    assert response.count(b"HTTP/1.1 ") <= 1
    assert kept == (b"Connection: keep-alive" in response)


def test_the_application_reads_a_valid_chunked_body() -> None:
    worker = Worker()
    worker.wsgi = read_body

    response, kept = ask(worker, HEAD + BODY)

    assert response.endswith(b"\r\n\r\nabc")
    assert kept


def test_an_error_after_the_response_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker()

    def fail(*_: object) -> bool:
        raise ValueError("after the response")

    monkeypatch.setattr(worker, "_keepalive_after", fail)

    response, kept = ask(worker, b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert response.count(b"HTTP/1.1 ") == 1
    assert not kept
