"""Liveness probes of processes: a process that fails them is killed and started again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from apphost.model.resources import HttpHealthCheck, LivenessProbe

from .health import QUICK_SECONDS, Probe, http_probe

# Failures count after the first response, or after this time: a start may be slow.
STARTING_SECONDS = 60.0

# The prober, the problem (empty if the process lives), and whether the process counts as dead.
OnFound = Callable[["LivenessProber", str, bool], None]


class LivenessProber:
    """Probes one process on a thread, and reports each change and the death of the process.

    The prober probes often until the first response, so that failures count early.
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
        begun, failures, has_answered, reported = time.monotonic(), 0, False, ""
        pause = self._rules.initial_delay_seconds
        while not self._stopped.wait(pause):
            asked = time.monotonic()
            problem = probe().problem
            failures = failures + 1 if problem else 0
            has_answered = has_answered or not problem
            counts = has_answered or asked - begun >= STARTING_SECONDS
            is_dead = counts and failures >= self._rules.failure_threshold
            if (is_dead or (counts and problem != reported)) and not self._stopped.is_set():
                reported = problem
                self._on_found(self, problem, is_dead)
            period = self._rules.period_seconds if has_answered else QUICK_SECONDS
            pause = max(0.0, asked + period - time.monotonic())
