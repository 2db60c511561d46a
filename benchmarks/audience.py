"""People and programs that look on: open pages, and callers that wait for reports to end."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from harness.wait import wait_until

WAIT_SECONDS = 30
# As static/js/live.js does: so long after each answer.
PAGE_SECONDS = 2.0
# As long as Retry-After tells a waiter to stay away: so their questions stay spread out evenly.
COMING_SECONDS = 5.0
_TIMEOUT_SECONDS = 60

Look = Callable[["Onlooker"], float]


class Onlooker:
    """One client that keeps its connection as a browser does, and asks until it is told to leave."""

    def __init__(self, port: int, look: Look, *, delay: float) -> None:
        self.answers = 0
        self.refusals = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
        self._look = look
        self._delay = delay
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def come(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        self._leaving.set()
        # One that waits for an answer is woken by this.
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        self._thread.join()

    def get(self, path: str, **headers: str) -> http.client.HTTPMessage:
        """Ask for something; give the headers of the answer."""
        answer = self._ask(path, headers)
        answer.read()
        self.answers += 1
        self.refusals += answer.status != 200
        return answer.headers

    def _ask(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        try:
            self._connection.request("GET", path, headers=headers)
            return self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            if self._leaving.is_set():
                raise
            # The server has closed what was kept too long: ask over a new connection.
            self._connection.close()
            self._connection.request("GET", path, headers=headers)
            return self._connection.getresponse()

    def _run(self) -> None:
        delay = self._delay
        while not self._leaving.wait(delay):
            try:
                delay = self._look(self)
            except (OSError, http.client.HTTPException, ValueError):
                if not self._leaving.is_set():
                    self.refusals += 1
                delay = PAGE_SECONDS
        self._connection.close()


def wait_for_end(task_id: str) -> Look:
    """Wait for a report to end, again and again, and as late as Retry-After says."""

    def look(onlooker: Onlooker) -> float:
        headers = onlooker.get(f"/api/reports/{task_id}?wait={WAIT_SECONDS}")
        return float(headers.get("Retry-After") or 0)

    return look


def watch_list(onlooker: Onlooker) -> float:
    """Do as the page of all reports does while it is open."""
    onlooker.get("/reports?partial=1", Accept="text/html")
    return PAGE_SECONDS


@contextmanager
def attend(
    port: int, looks: Sequence[Look], *, coming_seconds: float = COMING_SECONDS
) -> Iterator[Sequence[Onlooker]]:
    """Have onlookers, who come one after the other; it begins when nearly all have asked once."""
    onlookers = [
        Onlooker(port, look, delay=coming_seconds * place / len(looks)) for place, look in enumerate(looks)
    ]
    for onlooker in onlookers:
        onlooker.come()
    try:
        wait_until(lambda: _have_settled(onlookers), what="the onlookers")
        yield onlookers
    finally:
        for onlooker in onlookers:
            onlooker.leave()
        for onlooker in onlookers:
            onlooker.join()


def _have_settled(onlookers: Sequence[Onlooker]) -> bool:
    """Tell whether all have asked, of whom a few wait for their first answer."""
    return sum(onlooker.answers > 0 for onlooker in onlookers) >= 0.9 * len(onlookers)
