"""Requests and tasks, parsed from console lines in logfmt (name=value)."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

MAX_EVENTS = 200
_PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')


@dataclass(frozen=True)
class Event:
    """A request or task that a resource has logged."""

    time: datetime
    source: str
    fields: Mapping[str, str]


def parse_pairs(text: str) -> dict[str, str]:
    """Parse the pairs of a line; other text is ignored.

    >>> parse_pairs('INFO event=task stage="adding up" seconds=1.5')
    {'event': 'task', 'stage': 'adding up', 'seconds': '1.5'}
    """
    pairs = {}
    for match in _PAIR.finditer(text):
        try:
            pairs[match[1]] = json.loads(match[2]) if match[2].startswith('"') else match[2]
        except ValueError:
            continue
    return pairs


def has_finished(text: str) -> bool:
    """Whether the line reports the intended end of a program: `event=finished`."""
    return "event=finished" in text and parse_pairs(text).get("event") == "finished"


class EventLog:
    """The last requests and tasks of all resources."""

    def __init__(self) -> None:
        self._events = {name: deque[Event](maxlen=MAX_EVENTS) for name in ("request", "task")}
        self._lock = threading.Lock()

    def add_line(self, source: str, text: str, time: datetime) -> None:
        """Add a console line if it reports a request or a task."""
        if "event=" not in text:
            return
        fields = parse_pairs(text)
        with self._lock:
            if (events := self._events.get(fields.get("event", ""))) is not None:
                events.append(Event(time, source, fields))

    def read(self, name: str) -> list[Event]:
        """Return the last events of one kind, newest first."""
        with self._lock:
            return list(reversed(self._events[name]))
