"""Child processes of the apphost. They die with the apphost, and end together with their own children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from .leftovers import StartedProcess

# A longer line is split into pieces of this size.
_MAX_LINE_BYTES = 64 * 1024
_WRAPPER = str(Path(__file__).with_name("_exec.py"))


def wrap(command: Sequence[str]) -> list[str]:
    """Wrap a command so that the kernel kills its process when the current process dies."""
    return [sys.executable, "-I", "-S", _WRAPPER, str(os.getpid()), *command]


class ChildProcess:
    """A running program in its own session. A thread passes each line of output to `on_line`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        working_dir: str,
        env: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.started_at = time.monotonic()
        # Created on the main thread: for the kernel, the end of the creating thread is the end of the parent.
        self._process = subprocess.Popen(
            wrap(command),
            cwd=working_dir,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ran_seconds(self) -> float:
        return time.monotonic() - self.started_at

    def exit_code(self) -> int | None:
        """Return the exit code after the end of the process (negative: the signal), else None.

        After the end, the rest of the session is killed and the last lines are read.
        """
        code = self._process.poll()
        if code is not None:
            self.kill_session()
            self._reader.join(timeout=0.5)
        return code

    def remembered(self) -> StartedProcess | None:
        """Return the identity of the process for the next run; None if the process has ended."""
        try:
            return StartedProcess(self.name, self.pid, psutil.Process(self.pid).create_time(), self.command)
        except psutil.NoSuchProcess:
            return None

    def terminate(self) -> None:
        """Send SIGTERM to the process. The process ends its own children; `kill_session` kills the rest."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill_session(self) -> None:
        """Kill all processes of the session, in all its process groups."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in psutil.pids():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.pid:
                    os.kill(pid, signal.SIGKILL)

    def _read(self, on_line: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        with self._process.stdout as stream:
            for line in iter(lambda: stream.readline(_MAX_LINE_BYTES), b""):
                on_line(line.decode("utf-8", "replace").rstrip("\r\n"))
