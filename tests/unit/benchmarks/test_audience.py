"""Those who look on while something is measured."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.audience import PAGE_SECONDS, WAIT_SECONDS, attend, wait_for_end, watch_list
from harness.wait import wait_until

LIVE = Path(__file__).parents[3] / "static" / "js" / "live.js"


class Server(ThreadingHTTPServer):
    """Tells callers to come back late, but has the one who asks for `held` wait until the end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []
        self.is_over = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        if "held" in self.path:
            self.server.is_over.wait()
            return
        self.send_response(404 if "gone" in self.path else 200)
        self.send_header("Content-Length", "0")
        self.send_header("Retry-After", "600")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.is_over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_onlookers_ask_as_pages_and_waiters_do_and_leave_though_one_waits(server: Server) -> None:
    looks = [watch_list, wait_for_end("held"), *map(wait_for_end, "abcdefgh")]

    with attend(server.server_port, looks, coming_seconds=0.1) as onlookers:
        wait_until(lambda: onlookers[0].answers > 1, what="a page that asks again")

    waited_for = {path for path in server.paths if "/api/" in path}
    assert waited_for == {f"/api/reports/{name}?wait={WAIT_SECONDS}" for name in ("held", *"abcdefgh")}
    # Each was told to come back later than it stayed.
    assert [onlooker.answers for onlooker in onlookers[1:]] == [0, *[1] * 8]
    assert server.paths.count("/reports?partial=1") > 1
    assert sum(onlooker.refusals for onlooker in onlookers) == 0


def test_what_is_refused_is_counted(server: Server) -> None:
    with attend(server.server_port, [wait_for_end("gone")], coming_seconds=0.1) as onlookers:
        pass

    assert onlookers[0].refusals == 1


def test_a_page_asks_as_often_as_the_script_of_the_page() -> None:
    found = re.search(r"REFRESH_MS = (\d+)", LIVE.read_text(encoding="utf-8"))
    assert found
    assert int(found[1]) == 1000 * PAGE_SECONDS
