"""Console output of the resources, in memory, with masked secrets."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

MAX_LINES = 10_000
MAX_LINE_LENGTH = 4_000
MASK = "********"


@dataclass(frozen=True)
class LogLine:
    """One line. Numbers count from 1, so that a reader can request the lines after a number."""

    number: int
    time: datetime
    text: str


class ConsoleLog:
    """The last lines of one resource. The supervisor writes them, and the dashboard's threads read them."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=MAX_LINES)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, text: str, time: datetime) -> None:
        with self._lock:
            self._count += 1
            self._lines.append(LogLine(self._count, time, text[:MAX_LINE_LENGTH]))

    def read(self, *, after: int | None = None, limit: int = MAX_LINES) -> list[LogLine]:
        """Return the first `limit` lines with a number above `after`; without `after`, the last `limit` lines."""
        with self._lock:
            if after is None:
                return list(islice(self._lines, max(0, len(self._lines) - limit), None))
            first = self._lines[0].number if self._lines else 1
            begin = max(0, after + 1 - first)
            return list(islice(self._lines, begin, begin + limit))


class SecretMask:
    """Replaces known secrets in a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((secret for secret in secrets if len(secret) >= 6), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text
