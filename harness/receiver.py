"""A receiver of callbacks: a real HTTP server whose answers a test chooses."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .wait import wait_until

HANG = 0


@dataclass(frozen=True)
class Received:
    """One request that came."""

    path: str
    headers: Message
    body: bytes

    @property
    def message_id(self) -> str:
        return str(self.headers["webhook-id"])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """Answers with each of `answers` in turn, then with 204; `HANG` answers nothing until the end."""

    def __init__(self, *answers: int, port: int = 0) -> None:
        self.received: list[Received] = []
        self._answers = list(answers)
        self._closed = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(Received(self.path, self.headers, body))
                status = receiver._answers.pop(0) if receiver._answers else 204
                if status == HANG:
                    receiver._closed.wait()
                    return
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook?a=b"

    def wait_for(self, count: int) -> Sequence[Received]:
        wait_until(lambda: len(self.received) >= count, what=f"{count} callbacks")
        return list(self.received)

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
