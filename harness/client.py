"""Clients of the API: one that keeps its connection, and one that turns to another API when one does not answer."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import UnexpectedAnswerError

SUBMISSION: Mapping[str, object] = {"title": "Q4 2026 sales", "type": "sales"}
# A list of a hundred thousand reports may take so long.
_TIMEOUT_SECONDS = 300.0
_TIMEOUT_BEFORE_OTHERS_SECONDS = 5.0
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


@dataclass(frozen=True)
class Answer:
    """What the API answered; `link` is the address of the next page of a list."""

    status: int
    content: bytes
    link: str = ""

    @property
    def body(self) -> Any:
        """The JSON; raises ValueError where there is none."""
        return json.loads(self.content)


class Client:
    """A client of a server on the loopback that keeps its connection."""

    def __init__(self, port: int, *, seconds: float = _TIMEOUT_SECONDS) -> None:
        """Wait for an answer for so many seconds."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a request, with a body as JSON; raises OSError or HTTPException where no answer comes."""
        data = None if body is None else json.dumps(body).encode()
        kind = {} if data is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, data, kind | dict(headers or {}))
        answer = self._connection.getresponse()
        link = _NEXT.search(answer.headers.get("Link", ""))
        return Answer(answer.status, answer.read(), link[1] if link else "")

    def get(self, path: str) -> Any:
        """Return the JSON at a path; raises UnexpectedAnswerError for an error."""
        return self._succeed("GET", path).body

    def submit(self, wanted: Mapping[str, object] = SUBMISSION) -> str:
        """Request a report; return its task id."""
        return str(self._succeed("POST", "/api/reports", wanted).body["task_id"])

    def time(self, path: str, *, seconds: float) -> list[float]:
        """Get the path again and again for so long, once at least; return the milliseconds of each."""
        end = time.monotonic() + seconds
        taken: list[float] = []
        while not taken or time.monotonic() < end:
            begin = time.perf_counter()
            self._succeed("GET", path)
            taken.append(1000 * (time.perf_counter() - begin))
        return taken

    def is_healthy(self) -> bool:
        try:
            self.get("/health")
        except (OSError, UnexpectedAnswerError, http.client.HTTPException, ValueError):
            return False
        return True

    def close(self) -> None:
        self._connection.close()

    def _succeed(self, method: str, path: str, body: object = None) -> Answer:
        answer = self.request(method, path, body)
        if answer.status >= 300:
            raise UnexpectedAnswerError(
                f"{method} {path} was answered with {answer.status}: {answer.content[:200]!r}"
            )
        return answer


def is_healthy(port: int) -> bool:
    """Tell whether a server on this port is there and healthy."""
    client = Client(port, seconds=_TIMEOUT_BEFORE_OTHERS_SECONDS)
    try:
        return client.is_healthy()
    finally:
        client.close()


def fetch(port: int, path: str) -> str:
    """Return the body of a successful response; raise OSError for any other."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return str(response.read().decode())


class FailoverClient:
    """A client of the APIs on these ports: the first that answers, as a load balancer chooses."""

    def __init__(self, ports: Sequence[int], *, formats: Sequence[str] | None = None) -> None:
        """Request reports with files of these formats; None for what each type leaves."""
        self._ports = list(ports)
        self._formats = formats

    def submit(self, title: str, report_type: str, *, key: str) -> Answer | None:
        """Request a report, once for all repetitions with this key; None where no API answered."""
        wanted: dict[str, object] = {"title": title, "type": report_type}
        formats = {"formats": self._formats} if self._formats else {}
        return self._request("POST", "/api/reports", wanted | formats, {"Idempotency-Key": key})

    def list_reports(self) -> Iterator[Any]:
        """Yield every report there is; raises ConnectionError when the API does not answer with a list."""
        path = "/api/reports?limit=500"
        while path:
            answer = self._request("GET", path)
            if answer is None or answer.status != 200:
                raise ConnectionError(f"The API does not list the reports: {answer}")
            yield from answer.body
            path = answer.link

    def is_healthy(self) -> bool:
        return all(map(is_healthy, self._ports))

    def _request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer | None:
        for port in list(self._ports):
            client = Client(port, seconds=_TIMEOUT_BEFORE_OTHERS_SECONDS)
            try:
                answer = client.request(method, path, body, headers)
                json.loads(answer.content)
            except (OSError, http.client.HTTPException, ValueError):
                # The next one first from now on.
                self._ports = [*(other for other in self._ports if other != port), port]
            else:
                return answer
            finally:
                client.close()
        return None
