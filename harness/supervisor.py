"""A supervisor that starts programs again, as the apphost does."""

from __future__ import annotations

import threading
import time

from .processes import Program

# As the apphost waits at first.
RESTART_AFTER_SECONDS = 1.0
_WATCH_SECONDS = 0.1


class Supervisor:
    """Starts again what has ended, a second later."""

    def __init__(self) -> None:
        self._programs: list[Program] = []
        # When the end of a program was noticed, by its id.
        self._ended_at: dict[int, float] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, program: Program) -> None:
        program.start()
        with self._lock:
            self._programs.append(program)

    def release(self, program: Program) -> None:
        """Watch this one no longer."""
        with self._lock:
            self._programs.remove(program)

    def end(self) -> None:
        """End everything, at once."""
        self._stopped.set()
        self._thread.join()
        for program in self._programs:
            program.kill()

    def _watch(self) -> None:
        while not self._stopped.wait(_WATCH_SECONDS):
            with self._lock:
                for program in self._programs:
                    self._restart_if_ended(program, time.monotonic())

    def _restart_if_ended(self, program: Program, now: float) -> None:
        if program.is_running:
            self._ended_at.pop(id(program), None)
        elif now - self._ended_at.setdefault(id(program), now) >= RESTART_AFTER_SECONDS:
            del self._ended_at[id(program)]
            program.start()
