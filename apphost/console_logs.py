"""What the resources write on their consoles: kept in memory, with secrets made unreadable."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

MOST_LINES = 10_000
LONGEST_LINE = 4_000
MASK = "********"


@dataclass(frozen=True)
class LogLine:
    """One line; numbers rise by one from 1, so that a reader can ask for what comes after."""

    number: int
    time: datetime
    text: str


class ConsoleLog:
    """The last lines of one resource. Written by the supervisor, read by the dashboard's threads."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, text: str, time: datetime) -> None:
        with self._lock:
            self._count += 1
            self._lines.append(LogLine(self._count, time, text[:LONGEST_LINE]))

    def read(self, *, after: int = 0, limit: int = MOST_LINES) -> list[LogLine]:
        """Read lines numbered above `after`; without it, or when there are more, the last `limit` of them."""
        with self._lock:
            lines = [line for line in self._lines if line.number > after]
        return lines[-limit:]


class SecretMask:
    """Replaces known secrets in whatever is shown."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((secret for secret in secrets if len(secret) >= 6), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text
