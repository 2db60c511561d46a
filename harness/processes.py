"""Processes of the product: started, watched, measured, and surely ended."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
STOP_SECONDS = 20
# The harness alone sets what the product reads.
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


def interrupt_on_sigterm() -> None:
    """Have SIGTERM end this program as Ctrl-C does, so that its processes end with it; a shell may ignore both."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)


class Program:
    """One process, in a session of its own; what it prints goes to a file."""

    def __init__(
        self, command: Sequence[str | Path], log: Path | None = None, *, folder: Path = ROOT, **environ: str
    ) -> None:
        """Run in `folder`; without `log`, what the process prints is dropped."""
        self.command = command
        self.folder = folder
        home = log.parent if log else Path(tempfile.gettempdir())
        self._environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._environ |= {"HOME": str(home), "PYTHONPATH": str(folder), **environ}
        self._log = log or Path(os.devnull)
        self._process: subprocess.Popen[bytes] | None = None

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

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def find_family(self) -> Sequence[psutil.Process]:
        """The process and all that it has started."""
        return find_family(self.pid) if self.is_running else []

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Terminate the process, and kill what is left of its family after so many seconds."""
        if self._process is None:
            return
        family = self.find_family()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        kill(family)
        self._process.wait()

    def kill(self) -> None:
        """End the process, and all that it started, at once."""
        kill(self.find_family())
        if self._process is not None:
            self._process.wait()


@contextmanager
def run_program(command: Sequence[str | Path], *, folder: Path = ROOT, **environ: str) -> Iterator[Program]:
    """Run a program, and end it with all that it started; what it prints is dropped."""
    program = Program(command, None, folder=folder, **environ)
    program.start()
    try:
        yield program
    finally:
        program.stop()


def find_family(pid: int) -> Sequence[psutil.Process]:
    """The process and all that it has started; none if it has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def merge(*environs: Mapping[str, str]) -> dict[str, str]:
    """Put environments together; later ones win."""
    return {name: value for environ in environs for name, value in environ.items()}
