"""A standby process, forked before a job needs it, so that the job does not wait for a fork."""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

log = logging.getLogger(__name__)

_READY = b"r"
_LENGTH = struct.Struct("!I")
# A worker with reports in its queue sends the message sooner, and a warm-up would delay that report.
_IDLE_SECONDS = 0.25


class StandbyProcess:
    """A child process that waits for one message, handles the message, and ends.

    The child reports when it is ready, since a fork may hang on a lock of another thread. Fork it on the main
    thread.
    """

    def __init__(
        self,
        enter: Callable[[], None],
        warm_up: Callable[[], None],
        handle: Callable[[bytes], None],
    ) -> None:
        """Fork. The child calls `enter`, `warm_up` unless a message arrives soon, then `handle`."""
        parent, child = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            parent.close()
            _run_child(child, enter, warm_up, handle)
        child.close()
        self._socket = parent

    def send(self, message: bytes) -> bool:
        """Send the message; return False if the child cannot take it, and kill the child then."""
        try:
            if not select.select([self._socket], [], [], 0)[0] or self._socket.recv(1) != _READY:
                raise ConnectionError
            self._socket.sendall(_LENGTH.pack(len(message)) + message)
        except OSError:
            self.kill()
            return False
        self._socket.close()
        return True

    def kill(self) -> None:
        """Kill the child, and wait for its end."""
        self._socket.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _run_child(
    parent: socket.socket,
    enter: Callable[[], None],
    warm_up: Callable[[], None],
    handle: Callable[[bytes], None],
) -> NoReturn:
    """Warm up, wait for the message, handle it, and exit in any case."""
    code = os.EX_SOFTWARE
    try:
        # Otherwise the first collection copies the memory that the child shares with its parent.
        gc.freeze()
        enter()
        with suppress(ConnectionError):  # a parent that has ended, or has closed the socket, is noticed below
            parent.sendall(_READY)
        if not select.select([parent], [], [], _IDLE_SECONDS)[0]:
            warm_up()
        if message := _receive(parent):
            parent.close()
            handle(message)
        code = os.EX_OK
    except BaseException:
        log.exception("the job process raised")
    finally:
        os._exit(code)


def _receive(parent: socket.socket) -> bytes:
    """Receive one message; empty if the parent has ended or has closed the socket."""
    with suppress(ConnectionError), parent.makefile("rb") as stream:
        head = stream.read(_LENGTH.size)
        return stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    return b""
