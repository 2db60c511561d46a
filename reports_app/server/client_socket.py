"""A client's socket that buffers responses, so that a slow client blocks no thread."""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import Any

# A file is sent in chunks of this size, and a longer head than this waits for no body.
CHUNK_BYTES = 16 * 1024
# Buffered bytes of a response that the client has not read. A thread waits only above this limit.
MAX_UNSENT_BYTES = 512 * 1024
# How long a thread then waits for each chunk, if the application sets no timeout.
SEND_SECONDS = 5

_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SlowClientError(TimeoutError):
    """The client does not read a response that is too large to buffer."""


class ClientSocket:
    """Replaces the socket to which gunicorn writes responses; the worker sends the rest with `flush`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.unsent = bytearray()
        # The next bytes are the head of a response: they go out together with the first bytes of its body.
        self.holds_head = True
        self._sock = sock
        self._send_timeout = float(SEND_SECONDS)
        # A socket timeout would cost two more system calls, each with a switch of the interpreter's lock.
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)

    def fileno(self) -> int:
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        return self._sock.recv(size)

    def receive(self, size: int, *, within: float = 0) -> bytes | None:
        """Receive without waiting, or wait `within` seconds: b"" at the end of the stream, None if no byte is there."""
        if within and not self._readable.poll(within * 1000):
            return None
        try:
            return self._sock.recv(size)
        except _WOULD_BLOCK:
            return None

    def sendall(self, data: bytes) -> None:
        """Send or buffer `data`; raise SlowClientError if the buffer stays above its limit."""
        self.unsent += data
        is_head, self.holds_head = self.holds_head and len(self.unsent) < CHUNK_BYTES, False
        if is_head or self.flush():
            return
        deadline = time.monotonic() + self._send_timeout
        while len(self.unsent) > MAX_UNSENT_BYTES:
            self._wait_until_writable(deadline - time.monotonic())
            self.flush()

    def sendfile(self, file: Any, offset: int, count: int) -> None:
        file.seek(offset)
        while count > 0 and (data := file.read(min(count, CHUNK_BYTES))):
            self.sendall(data)
            count -= len(data)

    def flush(self) -> bool:
        """Send as much as the client accepts now; return whether the buffer is empty."""
        try:
            while self.unsent:
                del self.unsent[: self._sock.send(self.unsent)]
        except _WOULD_BLOCK:
            return False
        return True

    def setblocking(self, flag: bool) -> None:
        """Ignore the flag: this socket never blocks."""

    def gettimeout(self) -> float:
        return 0.0

    def settimeout(self, seconds: float | None) -> None:
        """Set how long a thread may wait for each chunk of a response that is too large to buffer."""
        self._send_timeout = SEND_SECONDS if seconds is None else seconds

    def shutdown(self, how: int) -> None:
        self.flush()
        self._sock.shutdown(how)

    def close(self) -> None:
        self.unsent.clear()
        self._sock.close()

    def _wait_until_writable(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._sock, select.POLLOUT)
        if seconds <= 0 or not poll.poll(seconds * 1000):
            raise SlowClientError
