"""A process beside the apphost that outlives it for a moment, to end what is left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

_PROGRAM = str(Path(__file__).with_name("_watchdog.py"))


class Watchdog:
    """Knows which process groups run; kills them when the apphost ends without having stopped them."""

    def __enter__(self) -> Watchdog:
        # In a session of its own: what is typed on the terminal is for the apphost.
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
        """Say which groups run now."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        try:
            self._process.stdin.write(" ".join(map(str, groups)).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            # Somebody ended it. The kernel and the next run still clean up.
            return
