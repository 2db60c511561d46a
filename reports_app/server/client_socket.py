"""A client's socket that makes no thread wait for a client who reads slowly."""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import Any

# An answer is sent in pieces of so much at least, and its head with its body.
PIECE_BYTES = 16 * 1024
# What is kept of an answer that the client does not take at once; a thread waits only with more than this.
MOST_BYTES_UNSENT = 512 * 1024
# How long it then waits for each piece, where the application does not say.
SEND_SECONDS = 5

_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class NotTakenError(TimeoutError):
    """The client does not take an answer that is too large to be kept for it."""


class ClientSocket:
    """What gunicorn writes answers to, in place of a socket; its owner sends the rest with `flush`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.unsent = bytearray()
        self._sock = sock
        self._patience = float(SEND_SECONDS)
        # A timeout of the socket would cost two more system calls, and the interpreter's lock each time.
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)

    def fileno(self) -> int:
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        return self._sock.recv(size)

    def receive(self, size: int, *, within: float = 0) -> bytes | None:
        """Receive what is there: nothing at the end of the stream, None where nothing has come."""
        if within and not self._readable.poll(within * 1000):
            return None
        try:
            return self._sock.recv(size)
        except _LATER:
            return None

    def sendall(self, data: bytes) -> None:
        """Send or keep it; raise NotTakenError where more is to be kept than may be."""
        self.unsent += data
        if len(self.unsent) < PIECE_BYTES or self.flush():
            return
        deadline = time.monotonic() + self._patience
        while len(self.unsent) > MOST_BYTES_UNSENT:
            self._wait_until_writable(deadline - time.monotonic())
            self.flush()

    def sendfile(self, file: Any, offset: int, count: int) -> None:
        file.seek(offset)
        while count > 0 and (data := file.read(min(count, PIECE_BYTES))):
            self.sendall(data)
            count -= len(data)

    def flush(self) -> bool:
        """Send as much as the client takes now; tell whether that is all there is."""
        try:
            while self.unsent:
                del self.unsent[: self._sock.send(self.unsent)]
        except _LATER:
            return False
        return True

    def setblocking(self, flag: bool) -> None:
        """Stay as it is: it never blocks."""

    def gettimeout(self) -> float:
        return 0.0

    def settimeout(self, seconds: float | None) -> None:
        """Say how long a thread may wait for each piece of an answer that is too large to be kept."""
        self._patience = SEND_SECONDS if seconds is None else seconds

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
            raise NotTakenError
