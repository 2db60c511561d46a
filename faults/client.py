"""A client of the API that does not give up: what gets no answer is sent again with the same key."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_TIMEOUT_SECONDS = 5.0
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    body: Any
    link: str = ""


class Client:
    """Asks the APIs on these ports of the loopback, the first that answers, as a load balancer would."""

    def __init__(self, ports: Sequence[int], *, formats: Sequence[str] | None = None) -> None:
        """Ask for reports with files of these formats; None for what each type leaves."""
        self._ports = list(ports)
        self._formats = formats

    def submit(self, title: str, report_type: str, *, key: str) -> Answer | None:
        """Ask for a report; None where no API answered."""
        asked = {"title": title, "type": report_type}
        body = json.dumps(asked | ({"formats": self._formats} if self._formats else {})).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return self._ask("POST", "/api/reports", body, headers)

    def list_reports(self) -> Iterator[Any]:
        """Yield every report there is; raises ConnectionError when the API does not answer with a list."""
        path = "/api/reports?limit=500"
        while path:
            answer = self._ask("GET", path)
            if answer is None or answer.status != 200:
                raise ConnectionError(f"The API does not list the reports: {answer}")
            yield from answer.body
            path = answer.link

    def is_healthy(self) -> bool:
        return all(self._is_healthy(port) for port in self._ports)

    def _is_healthy(self, port: int) -> bool:
        answer = Client([port])._ask("GET", "/health")
        return answer is not None and answer.status == 200

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer | None:
        for port in list(self._ports):
            try:
                return _ask(port, method, path, body, headers or {})
            except (OSError, http.client.HTTPException, ValueError):
                # The next one first from now on.
                self._ports = [*(other for other in self._ports if other != port), port]
        return None


def _ask(port: int, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        link = _NEXT.search(answer.headers.get("Link", ""))
        return Answer(answer.status, json.loads(answer.read()), link[1] if link else "")
    finally:
        connection.close()
