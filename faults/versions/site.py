"""One API of one version, as a program and a browser see it."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Site:
    """The API of a version, on a port of the loopback. Methods raise OSError where it does not answer."""

    version: str
    port: int

    def is_healthy(self) -> bool:
        try:
            return self._get("/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def request_report(self, title: str, report_type: str, parameters: Mapping[str, Any]) -> str:
        """Request a report and return its task id; raise ConnectionError if it is not accepted."""
        body = {"title": title, "type": report_type, "parameters": parameters}
        return str(self._post("/api/reports", body)["task_id"])

    def cancel(self, task_id: str) -> None:
        self._post(f"/api/reports/{task_id}/cancel", {})

    def retry(self, task_id: str) -> None:
        self._post(f"/api/reports/{task_id}/retry", {})

    def find(self, task_id: str) -> Any:
        """Read one report; None if this version does not show it."""
        status, body = self._get(f"/api/reports/{task_id}")
        return json.loads(body) if status == 200 else None

    def list_ids(self) -> set[str]:
        """Read the ids of the newest reports."""
        return {report["task_id"] for report in json.loads(self._get("/api/reports?limit=500")[1])}

    def has_page(self, report: Any) -> bool:
        """Tell whether the page of a report shows it."""
        status, body = self._get(f"/reports/{report['task_id']}")
        return status == 200 and str(report["title"]).encode() in body

    def find_spoiled(self, report: Any) -> Iterator[str]:
        """Yield the names of files that are not served as their receipts say."""
        for receipt in report["artifacts"]:
            status, body = self._get(f"/api/reports/{report['task_id']}/artifacts/{receipt['name']}")
            if status != 200 or hashlib.sha256(body).hexdigest() != receipt["sha256"]:
                yield receipt["name"]

    def _post(self, path: str, body: Any) -> Any:
        status, answer = self._send("POST", path, json.dumps(body).encode())
        if status != 202:
            raise ConnectionError(f"Version {self.version} answers {status} to POST {path}: {answer[:300]!r}")
        return json.loads(answer)

    def _get(self, path: str) -> tuple[int, bytes]:
        return self._send("GET", path, None)

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
