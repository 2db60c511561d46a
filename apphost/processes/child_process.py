"""Processes of the apphost: started so that they die with it, ended with all that they started."""

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

# A line without an end is taken in pieces of this size.
_LONGEST_LINE_BYTES = 64 * 1024
_WRAPPER = str(Path(__file__).with_name("_exec.py"))


def wrap(command: Sequence[str]) -> list[str]:
    """Make a command of which the kernel kills the process when this one dies."""
    return [sys.executable, "-I", "-S", _WRAPPER, str(os.getpid()), *command]


class ChildProcess:
    """A running program, in a session of its own, whose lines go to `on_line` from a thread."""

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
        # Started on the main thread: the kernel takes the end of the thread for the end of the parent.
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
        """The code once it has ended (below 0: by that signal), else None.

        Then what it leaves in its session is ended too, and its last lines are read.
        """
        code = self._process.poll()
        if code is not None:
            self.kill_session()
            self._reader.join(timeout=0.5)
        return code

    def remembered(self) -> StartedProcess | None:
        """What names this process for the next run; None when it has ended already."""
        try:
            return StartedProcess(self.name, self.pid, psutil.Process(self.pid).create_time(), self.command)
        except psutil.NoSuchProcess:
            return None

    def terminate(self) -> None:
        """Ask it to end. What it started is its own to end; `kill_session` takes what stays."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill_session(self) -> None:
        """End it and everything in its session at once, whatever process groups its members have made."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in psutil.pids():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.pid:
                    os.kill(pid, signal.SIGKILL)

    def _read(self, on_line: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        with self._process.stdout as stream:
            for line in iter(lambda: stream.readline(_LONGEST_LINE_BYTES), b""):
                on_line(line.decode("utf-8", "replace").rstrip("\r\n"))
