"""Whether a process lives, asked again and again: what does not is killed and started again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from apphost.model.resources import HttpHealthCheck, LivenessProbe

from .health import QUICK_SECONDS, Probe, http_probe

# Failures count from its first answer on, or from then on: a start may take its time.
STARTING_SECONDS = 60.0

# The prober itself, what is wrong (nothing if it lives), and whether it is dead by now.
OnFound = Callable[["LivenessProber", str, bool], None]


class LivenessProber:
    """Asks one process on a thread, and tells when the answer changes and when it is dead.

    Quickly until it has answered once, so that its failures count as soon as they can.
    """

    def __init__(self, port: int, rules: LivenessProbe, on_found: OnFound) -> None:
        self._rules = rules
        self._on_found = on_found
        self._stopped = threading.Event()
        probe = http_probe(port, HttpHealthCheck(rules.path), seconds=rules.timeout_seconds)
        threading.Thread(target=self._run, args=[probe], daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self, probe: Probe) -> None:
        begun, failures, has_answered, told = time.monotonic(), 0, False, ""
        pause = self._rules.initial_delay_seconds
        while not self._stopped.wait(pause):
            asked = time.monotonic()
            problem = probe().problem
            failures = failures + 1 if problem else 0
            has_answered = has_answered or not problem
            counts = has_answered or asked - begun >= STARTING_SECONDS
            is_dead = counts and failures >= self._rules.failure_threshold
            if (is_dead or (counts and problem != told)) and not self._stopped.is_set():
                told = problem
                self._on_found(self, problem, is_dead)
            period = self._rules.period_seconds if has_answered else QUICK_SECONDS
            pause = max(0.0, asked + period - time.monotonic())
