"""The console of the apphost."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TextIO, cast

from .line_writer import LineWriter, find_descriptor, is_same_file

_COLOURS = (36, 33, 35, 32, 34, 31)
NAME_WIDTH = 9


class Console:
    """Shows the lines of the apphost, and the lines of each resource with its name."""

    def __init__(self, writer: LineWriter, *, in_colour: bool = False) -> None:
        self._writer = writer
        self._in_colour = in_colour
        self._colours: dict[str, int] = {}

    def say(self, text: str) -> None:
        self._writer.put(text)

    def show_line(self, name: str, text: str) -> None:
        label = f"{name:<{NAME_WIDTH}}|"
        if self._in_colour:
            colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self._writer.put(f"{label} {text}")


@contextmanager
def open_console() -> Iterator[Console]:
    """Open the console of this process. Its output blocks no thread, even if nothing reads it.

    This includes stderr, to which libraries log: a blocked thread of the dashboard would hold the lock of the
    logging module.
    """
    _replace_closed_descriptors()
    output = LineWriter(sys.stdout)
    errors = output if _share_a_file(sys.stdout, sys.stderr) else LineWriter(sys.stderr)
    stream = LineStream(errors)
    try:
        with redirect_stderr(cast(TextIO, stream)):
            yield Console(output, in_colour=sys.stdout is not None and sys.stdout.isatty())
    finally:
        stream.flush()
        for writer in {output, errors}:
            writer.close()


def print_error(text: str) -> None:
    """Write a last line to stderr, and wait for its reader only a moment."""
    writer = LineWriter(sys.stderr or sys.stdout)
    writer.put(text)
    writer.close()


class LineStream(io.TextIOBase):
    """A text stream in place of `sys.stderr`, which passes its lines to a writer."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer
        self._rest = ""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._writer.put(line)
        return len(text)

    def flush(self) -> None:
        """Write an incomplete line as a line."""
        with self._lock:
            if self._rest:
                self._writer.put(self._rest)
                self._rest = ""


def _share_a_file(one: TextIO | None, other: TextIO | None) -> bool:
    first, second = find_descriptor(one), find_descriptor(other)
    return first is not None and second is not None and is_same_file(first, second)


def _replace_closed_descriptors() -> None:
    """Open /dev/null for each closed standard stream: else the next opened file would get its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
