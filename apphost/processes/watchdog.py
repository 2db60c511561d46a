"""A process that outlives the apphost for a moment, to kill the processes that remain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

_PROGRAM = str(Path(__file__).with_name("_watchdog.py"))


class Watchdog:
    """Kills the running process groups if the apphost ends without stopping them."""

    def __enter__(self) -> Watchdog:
        # In its own session: signals from the terminal are for the apphost only.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def watch(self, groups: Iterable[int]) -> None:
        """Replace the list of running groups."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        try:
            self._process.stdin.write(" ".join(map(str, groups)).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            # The watchdog has been killed. The kernel and the next run still clean up.
            return
