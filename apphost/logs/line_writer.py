"""Writes lines to a stream in a separate thread, so that a blocked stream blocks no other thread."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TextIO

MAX_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 16 * 1024
# The memory of a line in addition to its text.
LINE_BYTES = 64
# How long `close` waits without progress, and in total.
STALL_SECONDS = 0.5
CLOSE_SECONDS = 3.0


class LineWriter:
    """Writes lines in order. While about `most_bytes` wait, further lines are dropped and counted."""

    def __init__(self, stream: TextIO | None, *, max_bytes: int = MAX_BYTES) -> None:
        self._stream = stream
        self._descriptor = find_descriptor(stream)
        self._most_bytes = max_bytes
        self._lines: list[str] = []
        self._size = 0
        self._dropped = 0
        self._is_closing = False
        self._is_torn = False
        self._progress = 0
        # Reentrant: garbage collection within `put` can write an error to stderr, and so call `put`.
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Queue a line for the stream, or drop it; never wait."""
        with self._changed:
            if self._dropped or self._size > self._most_bytes:
                self._dropped += 1
                return
            self._lines.append(line)
            self._size += len(line) + LINE_BYTES
            self._changed.notify()

    def close(self) -> None:
        """Wait until all lines are written, as long as the stream makes progress."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        end = time.monotonic() + CLOSE_SECONDS
        seen = None
        while self._thread.is_alive() and seen != self._progress and time.monotonic() < end:
            seen = self._progress
            self._thread.join(STALL_SECONDS)
        if self._thread.is_alive() and self._descriptor is not None:
            _detach(self._descriptor)

    def _run(self) -> None:
        lost = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._is_closing)
                if not self._lines:
                    return
                lines, dropped = self._lines, self._dropped
                self._lines, self._size, self._dropped = [], 0, 0
            lost = self._write_all(lost, lines, dropped)

    def _write_all(self, lost: int, lines: list[str], dropped: int) -> int:
        """Write `lines`, with notes about `lost` lines before and `dropped` lines after; return how many are lost."""
        if lost and self._write([_describe_dropped(lost)]):
            return lost + len(lines) + dropped
        if unwritten := self._write(lines):
            return unwritten + dropped
        if dropped and self._write([_describe_dropped(dropped)]):
            return dropped
        return 0

    def _write(self, lines: list[str]) -> int:
        """Write lines; return how many the stream refused, for example on a full disk."""
        data = "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
        rest = memoryview(b"\n" + data if self._is_torn else data)
        try:
            while rest:
                written = self._write_some(rest[:CHUNK_BYTES])
                self._is_torn = rest[written - 1] != ord("\n")
                self._progress += 1
                rest = rest[written:]
        except (OSError, ValueError):
            return max(1, bytes(rest).count(b"\n"))
        return 0

    def _write_some(self, data: memoryview) -> int:
        if self._descriptor is None:
            if self._stream is not None:
                self._stream.write(bytes(data).decode(errors="replace"))
            return len(data)
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # Another program has set the shared terminal or pipe to non-blocking.
                select.select([], [self._descriptor], [])


def find_descriptor(stream: TextIO | None) -> int | None:
    """Return the descriptor of a stream; None if the stream is closed or in memory."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


def is_same_file(one: int, other: int) -> bool:
    """Whether two descriptors refer to the same file, pipe or terminal; False if one is closed."""
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def _detach(blocked: int) -> None:
    """Redirect a blocked stream to /dev/null, so that the interpreter's last output does not block."""
    numbers = [number for number in {1, 2, blocked} if is_same_file(number, blocked)]
    null = os.open(os.devnull, os.O_WRONLY)
    for number in numbers:
        os.dup2(null, number)
    os.close(null)


def _describe_dropped(count: int) -> str:
    return f"({count:,} lines are not shown: the console was not read)"
