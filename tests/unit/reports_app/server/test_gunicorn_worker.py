"""Distribution of requests and connections in the API, and the gunicorn members that it uses."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser, wsgi
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from reports_app.server.client_connection import MAX_RECEIVED_BYTES, ClientConnection
from reports_app.server.gunicorn_worker import (
    MAX_BUFFERED_BYTES,
    MAX_CONSECUTIVE_REQUESTS,
    MAX_YIELDS,
    YIELD_SECONDS,
    SharingThreadWorker,
)

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
HALF = b"POST / HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + b"x" * 16000


class Queue:
    """The work queue of the pool, with a given length."""

    def __init__(self, waiting: int = 0) -> None:
        self.waiting = waiting

    def empty(self) -> bool:
        return not self.waiting


class Worker(SharingThreadWorker):
    """A worker without threads: records the connections that the threads would get."""

    def __init__(self, *, waiting: int = 0, alive: bool = True, **settings: object) -> None:
        cfg = Config()
        for name, value in settings.items():
            cfg.set(name, value)
        super().__init__(1, 1, [], None, 30, cfg, None)
        self.tmp.close()
        self.alive = alive
        self.tpool = SimpleNamespace(_work_queue=Queue(waiting))
        self.poller = selectors.DefaultSelector()
        self.given = list[Any]()

    def __new__(cls, **_: object) -> Any:
        return object.__new__(cls)

    def enqueue_req(self, conn: Any) -> None:
        self.given.append(conn)

    def turn(self) -> None:
        """Run one round of the main loop."""
        for key, _ in self.poller.select(0):
            key.data(key.fileobj)
        self.murder_pending()


class Listener:
    """A socket at which clients have connected."""

    def __init__(self) -> None:
        self.sockets = list[socket.socket]()
        self._waiting = list[socket.socket]()

    def connect(self, sent: bytes = b"") -> socket.socket:
        client, accepted = socket.socketpair()
        client.sendall(sent)
        client.settimeout(5)
        self.sockets += (client, accepted)
        self._waiting.append(accepted)
        return client

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        return self._waiting.pop(0), ("127.0.0.1", 1)

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 8000)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    for end in listener.sockets:
        end.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The requests that gunicorn's own worker got."""
    answered = list[bytes]()

    def handle(_: ThreadWorker, connection: ClientConnection) -> bool:
        answered.append(connection.parser.unreader.take_buffered())
        return True

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    return answered


def accept_in(worker: Worker, listener: Listener, sent: bytes = b"") -> socket.socket:
    client = listener.connect(sent)
    worker.accept(listener)
    return client


def finish(worker: Worker, conn: ClientConnection) -> None:
    """Handle a connection as a thread does, and give it back to the main thread."""
    done = Future[Any]()
    done.set_result(worker.handle(conn))
    worker.finish_request(conn, done)


def keep(worker: Worker, listener: Listener) -> socket.socket:
    """Connect a client, and let a thread handle its first request."""
    client = accept_in(worker, listener, REQUEST)
    finish(worker, worker.given[0])
    return client


def is_closed(client: socket.socket) -> bool:
    """Whether the other end is closed, after its data are read."""
    client.settimeout(0.2)
    try:
        while client.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


@pytest.mark.parametrize(("connections", "yields"), [(0, 0), (1, 1), (3, 3), (900, MAX_YIELDS)])
def test_a_process_delays_an_accept_for_each_connection_it_has(
    monkeypatch: pytest.MonkeyPatch, listener: Listener, connections: int, yields: int
) -> None:
    yielded = list[float]()
    monkeypatch.setattr("reports_app.server.gunicorn_worker.time.sleep", yielded.append)
    worker = Worker()
    worker.nr_conns = connections

    accept_in(worker, listener)

    assert yielded == [pytest.approx(yields * YIELD_SECONDS)]
    assert worker.nr_conns == connections + 1


def test_a_request_that_arrives_with_the_connection_goes_to_a_thread_at_once(listener: Listener) -> None:
    worker = Worker()

    accept_in(worker, listener, REQUEST)

    assert len(worker.given) == 1
    assert not worker.poller.get_map()


def test_a_request_goes_to_a_thread_after_its_last_byte(listener: Listener) -> None:
    worker = Worker()
    client = accept_in(worker, listener)

    for byte in REQUEST:
        worker.turn()
        assert not worker.given
        client.sendall(bytes([byte]))
    worker.turn()

    assert len(worker.given) == 1
    assert worker.buffered_bytes == 0


def test_a_thread_keeps_a_connection_that_sends_another_request(
    listener: Listener, served: list[bytes]
) -> None:
    worker = Worker()
    client = accept_in(worker, listener, REQUEST)
    client.sendall(REQUEST)

    assert worker.handle(worker.given[0]) is True

    assert served == [REQUEST] * 2


def test_a_thread_returns_an_incomplete_request_to_the_main_thread(
    listener: Listener, served: list[bytes]
) -> None:
    worker = Worker()
    client = accept_in(worker, listener, REQUEST)
    client.sendall(REQUEST[:-1])
    (conn,) = worker.given

    finish(worker, conn)
    client.sendall(REQUEST[-1:])
    worker.turn()

    assert served == [REQUEST]
    assert worker.given == [conn, conn]


def test_the_next_request_of_a_kept_connection_is_received_by_a_thread(
    monkeypatch: pytest.MonkeyPatch, listener: Listener, served: list[bytes]
) -> None:
    worker = Worker()
    client = keep(worker, listener)
    head, body = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n", b"body"

    # As from a client that sends head and body separately.
    monkeypatch.setattr("reports_app.server.client_connection.RECEIVE_BYTES", len(head))
    client.sendall(head + body)
    worker.turn()
    finish(worker, worker.given[1])

    assert served == [REQUEST, head + body]


@pytest.mark.parametrize("sent", [b"", b"GET / HT"])
def test_a_kept_connection_that_its_client_closes_is_closed(
    listener: Listener, served: list[bytes], sent: bytes
) -> None:
    worker = Worker()
    client = keep(worker, listener)

    client.sendall(sent)
    client.shutdown(socket.SHUT_WR)
    worker.turn()
    finish(worker, worker.given[-1])
    worker.turn()

    assert served == [REQUEST]
    assert is_closed(client)
    assert worker.nr_conns == 0


def test_a_client_that_is_gone_before_its_refusal_costs_its_own_connection_alone(
    listener: Listener, served: list[bytes]
) -> None:
    worker = Worker()
    client = keep(worker, listener)
    for part in (b"head", b"body"):
        worker.given[0].sock.sendall(part)
    assert client.recv(100) == b"headbody"
    client.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 40000)
    client.close()
    worker.turn()

    finish(worker, worker.given[-1])
    for _ in range(4):
        worker.turn()

    assert served == [REQUEST]
    assert worker.nr_conns == 0


@pytest.mark.parametrize("state", [{"waiting": 1}, {"alive": False}])
def test_a_thread_leaves_a_connection_when_others_wait_or_the_process_ends(
    listener: Listener, served: list[bytes], state: dict[str, Any]
) -> None:
    worker = Worker(**state)
    client = accept_in(worker, listener, REQUEST)
    client.sendall(REQUEST)

    worker.handle(worker.given[0])

    assert len(served) == 1


def test_a_thread_handles_a_limited_number_of_consecutive_requests(
    monkeypatch: pytest.MonkeyPatch, listener: Listener, served: list[bytes]
) -> None:
    worker = Worker()
    client = accept_in(worker, listener, REQUEST)
    client.sendall(REQUEST * 2 * MAX_CONSECUTIVE_REQUESTS)
    # As if each had been sent by itself.
    monkeypatch.setattr("reports_app.server.client_connection.RECEIVE_BYTES", len(REQUEST))

    worker.handle(worker.given[0])

    assert len(served) == MAX_CONSECUTIVE_REQUESTS


def test_a_request_that_takes_too_long_gets_408_and_is_closed(
    monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.setattr("reports_app.server.gunicorn_worker.REQUEST_SECONDS", 0)
    worker = Worker()
    half, idle = accept_in(worker, listener, REQUEST[:-1]), accept_in(worker, listener)

    worker.turn()

    assert half.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert is_closed(half)
    assert is_closed(idle)
    assert (worker.nr_conns, worker.buffered_bytes) == (0, 0)


def test_above_the_limit_the_oldest_connection_without_a_complete_request_is_closed(
    listener: Listener,
) -> None:
    worker = Worker(worker_connections=4, threads=1)
    working = accept_in(worker, listener, REQUEST)
    idle = [accept_in(worker, listener) for _ in range(3)]

    worker.turn()
    assert worker.nr_conns == 3
    accept_in(worker, listener, REQUEST)
    worker.turn()

    assert [is_closed(client) for client in idle] == [True, True, False]
    assert not is_closed(working)
    assert len(worker.given) == 2


def test_the_memory_of_incomplete_requests_is_bounded(listener: Listener) -> None:
    worker = Worker()
    count = MAX_BUFFERED_BYTES // len(HALF) + 3

    first, *_, last = [accept_in(worker, listener, HALF) for _ in range(count)]
    worker.turn()

    assert worker.buffered_bytes <= MAX_BUFFERED_BYTES
    assert is_closed(first)
    assert not is_closed(last)


def test_a_process_may_open_twice_as_many_files_as_it_has_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reports_app.server.gunicorn_worker.resource.getrlimit", lambda _: (256, 256))

    assert Worker(worker_connections=1000).worker_connections == 128


def test_the_received_part_of_a_body_is_enough_for_the_application_to_refuse_it() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"
    parser = get_parser(Config(), [head + b"x" * (MAX_RECEIVED_BYTES + 1)], ("127.0.0.1", 1))
    body = next(parser).body

    assert len(body.read(64 * 1024)) == 64 * 1024
    assert len(body.read(1)) == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [("http_protocols", "h2,h1"), ("proxy_protocol", "auto"), ("protocol", "uwsgi")],
)
def test_other_protocols_than_plain_http_get_gunicorns_own_worker(setting: str, value: str) -> None:
    cfg = Config()
    cfg.set(setting, value)

    worker = SharingThreadWorker(1, 1, [], None, 30, cfg, None)

    worker.tmp.close()
    assert type(worker) is ThreadWorker


def names_in(function: Any) -> set[str]:
    return set(function.__code__.co_names)


def test_gunicorn_calls_and_has_the_members_that_the_worker_uses() -> None:
    worker, run = ThreadWorker(1, 1, [], None, 30, Config(), None), names_in(ThreadWorker.run)
    worker.tmp.close()
    # gunicorn calls the overridden members.
    assert run >= {"murder_pending", "murder_keepalived", "_cap_keepalive", "nr_conns", "worker_connections"}
    assert "accept" in names_in(ThreadWorker.set_accept_enabled)
    assert names_in(ThreadWorker.enqueue_req) >= {"tpool", "handle"}
    assert names_in(ThreadWorker.handle) >= {"initialized", "setblocking", "init", "parser", "handle_request"}
    assert names_in(ThreadWorker.handle_request) >= {"create", "sock", "keepalived_conns", "max_keepalived"}
    assert names_in(ThreadWorker.murder_keepalived) >= {"keepalived_conns", "poller", "nr_conns", "close"}
    # The used members exist.
    assert {"keepalived_conns", "nr_conns", "tpool", "poller", "alive", "log"} <= set(vars(worker))
    assert hasattr(worker.get_thread_pool(), "_work_queue")
    assert "init" in vars(TConn)
    assert "initialized" in names_in(TConn.init)
    assert {"set_timeout", "close"} <= set(vars(TConn))
    assert "_expected_100_continue" in names_in(wsgi.create)
    assert hasattr(Request, "force_close")


def test_gunicorns_parser_reads_the_given_bytes_and_then_the_end_of_the_stream() -> None:
    parser = get_parser(Config(), (), ("127.0.0.1", 1))

    parser.unreader.unread(REQUEST + b"GET")

    assert next(parser).method == "GET"
    assert parser.unreader.take_buffered() == b"GET"
    assert parser.unreader.read() == b""
    parser.unreader.unread(REQUEST)
    assert next(parser).body.read() == b""
