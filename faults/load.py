"""Steady submissions over HTTP, each of which is accepted when its 202 has been read."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.client import Answer, FailoverClient

TITLE = "Fault suite"
_TYPES = ("sales", "inventory", "users")
_AGAIN_SECONDS = 0.25


@dataclass
class Load:
    """Submits one report every `every_seconds`, on a thread of its own."""

    client: FailoverClient
    every_seconds: float
    accepted: dict[str, str] = field(default_factory=dict)  # task ids by title
    refusals: list[Answer] = field(default_factory=list)
    # How many at most; None for as many as time allows.
    most: int | None = None

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._lock = threading.Lock()
        self._count = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin no more submissions; the last one may take a while to be accepted."""
        self._stopped.set()

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def submit(self, count: int = 1) -> None:
        """Submit so many at once, beside the steady ones; returns when they are accepted."""
        for _ in range(count):
            self._submit_one()

    def copy_accepted(self) -> Mapping[str, str]:
        with self._lock:
            return dict(self.accepted)

    def _run(self) -> None:
        while not self._stopped.is_set() and (self.most is None or self._count < self.most):
            self._submit_one()
            self._stopped.wait(self.every_seconds)

    def _submit_one(self) -> None:
        """Send one submission until it is accepted; stopping does not end it, only being abandoned does."""
        with self._lock:
            self._count += 1
            number = self._count
        title, key = f"{TITLE} {number}", secrets.token_hex(16)
        while not self._abandoned.is_set():
            answer = self.client.submit(title, _TYPES[number % len(_TYPES)], key=key)
            if answer is not None and answer.status == 202:
                with self._lock:
                    self.accepted[title] = str(answer.body["task_id"])
                return
            if answer is not None:
                self.refusals.append(answer)
            self._abandoned.wait(_AGAIN_SECONDS)

    def abandon(self) -> None:
        """Leave it at what was accepted."""
        self._stopped.set()
        self._abandoned.set()
