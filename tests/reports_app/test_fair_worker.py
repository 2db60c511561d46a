"""How new connections are shared out between the processes of the API."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker

from reports_app.fair_worker import MOST_COUNTED, MOST_IN_A_ROW, YIELD_SECONDS, FairWorker


@pytest.mark.parametrize(("connections", "yields"), [(0, 0), (1, 1), (3, 3), (900, MOST_COUNTED)])
def test_a_process_lets_others_go_first_the_longer_the_more_connections_it_has(
    monkeypatch: pytest.MonkeyPatch, connections: int, yields: int
) -> None:
    events: list[Any] = []
    monkeypatch.setattr("reports_app.fair_worker.time.sleep", events.append)
    monkeypatch.setattr(ThreadWorker, "accept", lambda _, listener: events.append(listener))
    worker = FairWorker.__new__(FairWorker)
    worker.nr_conns = connections

    worker.accept("listener")

    assert events == [pytest.approx(yields * YIELD_SECONDS), "listener"]


class Queue:
    """The pool's queue of work, as long as it is said to be."""

    def __init__(self, waiting: int = 0) -> None:
        self.waiting = waiting

    def empty(self) -> bool:
        return not self.waiting


class Connection:
    """One end of a connection on which a number of requests have arrived."""

    is_http2 = False

    def __init__(self, requests: int) -> None:
        self.sock, self._other = socket.socketpair()
        self._other.sendall(b"." * requests)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()
        self._other.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was read by the answers of gunicorn's own worker."""
    answered = list[bytes]()

    def handle(_: ThreadWorker, connection: Connection) -> bool:
        answered.append(connection.sock.recv(1))
        return True

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    return answered


def make_worker(*, waiting: int = 0, alive: bool = True) -> FairWorker:
    worker = FairWorker.__new__(FairWorker)
    worker.tpool = SimpleNamespace(_work_queue=Queue(waiting))
    worker.alive = alive
    return worker


def test_a_thread_stays_with_a_connection_that_asks_again(served: list[bytes]) -> None:
    with Connection(requests=3) as connection:
        assert make_worker().handle(connection) is True

    assert len(served) == 3


@pytest.mark.parametrize("worker", [make_worker(waiting=1), make_worker(alive=False)])
def test_a_thread_leaves_a_connection_when_others_wait_or_the_process_ends(
    served: list[bytes], worker: FairWorker
) -> None:
    with Connection(requests=3) as connection:
        worker.handle(connection)

    assert len(served) == 1


def test_a_thread_does_not_stay_for_ever(served: list[bytes]) -> None:
    with Connection(requests=10 * MOST_IN_A_ROW) as connection:
        make_worker().handle(connection)

    assert len(served) == MOST_IN_A_ROW + 1
