"""A process forked before it is needed: who gets its order then waits for no fork."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn

log = logging.getLogger(__name__)

_READY = b"r"
_LENGTH = struct.Struct("!I")


class StandbyProcess:
    """A child of this process that waits for one order, follows it, and ends.

    It says when it is there: a fork beside other threads may hang. To be forked on the main thread.
    """

    def __init__(
        self, settle: Callable[[], None], steps: Iterable[Callable[[], None]], follow: Callable[[bytes], None]
    ) -> None:
        """Fork; the child calls `settle` at once, `steps` one by one until its order is there, and `follow` with it."""
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _live(theirs, settle, steps, follow)
        theirs.close()
        self._socket = ours

    def give(self, order: bytes) -> bool:
        """Hand over the order; False if it cannot take it, and then it is gone."""
        try:
            if not select.select([self._socket], [], [], 0)[0] or self._socket.recv(1) != _READY:
                raise ConnectionError
            self._socket.sendall(_LENGTH.pack(len(order)) + order)
        except OSError:
            self.dismiss()
            return False
        self._socket.close()
        return True

    def dismiss(self) -> None:
        """End it."""
        self._socket.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _live(
    parent: socket.socket,
    settle: Callable[[], None],
    steps: Iterable[Callable[[], None]],
    follow: Callable[[bytes], None],
) -> NoReturn:
    """Settle, wait for the order, follow it, and end, whatever happens."""
    code = os.EX_SOFTWARE
    try:
        settle()
        parent.sendall(_READY)
        for step in steps:
            if select.select([parent], [], [], 0)[0]:
                break
            step()
        if order := _receive(parent):
            parent.close()
            follow(order)
        code = os.EX_OK
    except BaseException:
        log.exception("the process that makes reports raised")
    finally:
        os._exit(code)


def _receive(parent: socket.socket) -> bytes:
    """Receive one order; nothing if the parent is gone, or needs this process no more."""
    with suppress(ConnectionError), parent.makefile("rb") as stream:
        head = stream.read(_LENGTH.size)
        return stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    return b""
