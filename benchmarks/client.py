"""One client that keeps its connection."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any

from .errors import BenchmarkError
from .load import SUBMISSION

# The peer reads a hundred thousand reports one by one.
_TIMEOUT_SECONDS = 300


class Client:
    """Asks a server on loopback, one request after the other."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)

    def get(self, path: str) -> Any:
        return json.loads(self._request("GET", path))

    def submit(self, wanted: Mapping[str, object] | None = None) -> str:
        """Ask for a report, the usual one if none is described; return its id."""
        body = json.dumps(wanted) if wanted else SUBMISSION
        return str(json.loads(self._request("POST", "/api/reports", body))["task_id"])

    def time(self, path: str, *, seconds: float) -> list[float]:
        """Ask again and again for so long, once at least; return what each took, in milliseconds."""
        end = time.monotonic() + seconds
        taken: list[float] = []
        while not taken or time.monotonic() < end:
            begin = time.perf_counter()
            self._request("GET", path)
            taken.append(1000 * (time.perf_counter() - begin))
        return taken

    def close(self) -> None:
        self._connection.close()

    def _request(self, method: str, path: str, body: str | None = None) -> bytes:
        self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise BenchmarkError(f"{method} {path} was answered with {answer.status}: {content[:200]!r}")
        return content


def answers(port: int) -> bool:
    """Tell whether a server is there and healthy."""
    client = Client(port)
    try:
        client.get("/health")
    except (OSError, BenchmarkError, ValueError):
        return False
    finally:
        client.close()
    return True
