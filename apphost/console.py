"""What the apphost itself shows on its console."""

from __future__ import annotations

import sys
import threading
from typing import TextIO

_COLOURS = (36, 33, 35, 32, 34, 31)
NAME_WIDTH = 9


class Console:
    """Writes lines of the apphost and, with its name before it, each line of a resource."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._in_colour = self._stream.isatty()
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        self._write(text)

    def show_line(self, name: str, text: str) -> None:
        label = f"{name:<{NAME_WIDTH}}|"
        if self._in_colour:
            colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self._write(f"{label} {text}")

    def _write(self, text: str) -> None:
        with self._lock:
            try:
                print(text, file=self._stream, flush=True)
            except (OSError, ValueError):
                # Nobody reads any more, as after `| head`; the resources go on.
                return
