"""Lines written to a stream by a thread of its own, so that a stream that takes nothing blocks no other thread."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TextIO

MOST_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 16 * 1024
# What a line costs in memory beside its text.
LINE_BYTES = 64
# How long the end waits for a reader that takes nothing, and how long for any reader.
STALL_SECONDS = 0.5
CLOSE_SECONDS = 3.0


class LineWriter:
    """Writes lines in order. While about `most_bytes` wait, further lines are dropped and counted."""

    def __init__(self, stream: TextIO | None, *, most_bytes: int = MOST_BYTES) -> None:
        self._stream = stream
        self._descriptor = find_descriptor(stream)
        self._most_bytes = most_bytes
        self._lines: list[str] = []
        self._size = 0
        self._dropped = 0
        self._is_closing = False
        self._is_torn = False
        self._progress = 0
        # Reentrant: garbage collection within `put` may report a fault on stderr, and so call `put`.
        self._changed = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have a line written soon, or dropped; never wait for the stream."""
        with self._changed:
            if self._dropped or self._size > self._most_bytes:
                self._dropped += 1
                return
            self._lines.append(line)
            self._size += len(line) + LINE_BYTES
            self._changed.notify()

    def close(self) -> None:
        """Wait until all is written, as long as the stream takes some of it."""
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
        """Write lines between those that were lost before and those dropped after; return how many are lost."""
        if lost and self._write([_describe_dropped(lost)]):
            return lost + len(lines) + dropped
        if unwritten := self._write(lines):
            return unwritten + dropped
        if dropped and self._write([_describe_dropped(dropped)]):
            return dropped
        return 0

    def _write(self, lines: list[str]) -> int:
        """Write lines; return how many the stream refused, as a full disk or a pipe without a reader does."""
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
                # Another program that has the same terminal or pipe has made it non-blocking.
                select.select([], [self._descriptor], [])


def find_descriptor(stream: TextIO | None) -> int | None:
    """Find where a stream writes; None for one that was closed before the start, or is in memory."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


def is_same_file(one: int, other: int) -> bool:
    """Tell whether two descriptors lead to the same file, pipe or terminal; a closed one leads nowhere."""
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def _detach(blocked: int) -> None:
    """Let what leads to a blocked stream lead nowhere: nothing that the interpreter still writes may wait."""
    numbers = [number for number in {1, 2, blocked} if is_same_file(number, blocked)]
    null = os.open(os.devnull, os.O_WRONLY)
    for number in numbers:
        os.dup2(null, number)
    os.close(null)


def _describe_dropped(count: int) -> str:
    return f"({count:,} lines are not shown here: the console was not read)"
