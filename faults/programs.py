"""Processes of the product: started, started again when they end, and surely ended."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
STOP_SECONDS = 20
# As the apphost does at first.
RESTART_AFTER_SECONDS = 1.0
_WATCH_SECONDS = 0.1
# Below what Linux chooses for itself (ip_local_port_range), and not the same in two runs at once.
_PORTS = cycle(random.sample(range(20_000, 32_000), 12_000))
_PORT_LOCK = threading.Lock()
# What the product reads, it gets from the suite alone.
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


def free_port() -> int:
    """Choose a port that stays free while its server is down: none that the kernel gives to clients."""
    with _PORT_LOCK:
        while True:
            port = next(_PORTS)
            with socket.socket() as listener, suppress(OSError):
                listener.bind(("127.0.0.1", port))
                return port


class Program:
    """One process, in a session of its own; what it prints goes to a file."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, folder: Path = ROOT, **environ: str
    ) -> None:
        self.command = command
        self.folder = folder
        self._environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._environ |= {"HOME": str(log.parent), "PYTHONPATH": str(folder), **environ}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.ended_at: float | None = None

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.ended_at = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def find_family(self) -> Sequence[psutil.Process]:
        """The process and all that it has started."""
        return _find_family(self.pid) if self.is_running else []

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Ask it to end, and make it and all that it started if it does not in time."""
        if self._process is None:
            return
        family = self.find_family()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        kill(family)
        self._process.wait()

    def kill(self) -> None:
        """End it, and all that it started, at once."""
        kill(self.find_family())
        if self._process is not None:
            self._process.wait()


def _find_family(pid: int) -> Sequence[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


class Supervisor:
    """Starts again what has ended, a second later, as the apphost does."""

    def __init__(self) -> None:
        self._programs: list[Program] = []
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
                    _restart_if_ended(program, time.monotonic())


def _restart_if_ended(program: Program, now: float) -> None:
    if program.is_running:
        return
    if program.ended_at is None:
        program.ended_at = now
    elif now - program.ended_at >= RESTART_AFTER_SECONDS:
        program.start()


def merge(*environs: Mapping[str, str]) -> dict[str, str]:
    """Put environments together; later ones win."""
    return {name: value for environ in environs for name, value in environ.items()}
