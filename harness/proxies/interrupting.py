"""A proxy before the broker, which can cut off its clients."""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from enum import StrEnum

from .tcp_proxy import CHUNK_BYTES, TcpProxy, reset

_POLL_SECONDS = 0.05
_CAUGHT_SECONDS = 10.0
DELAY_SECONDS = (0.2, 1.4)


class Mode(StrEnum):
    """What becomes of what passes."""

    PASS = "pass"
    # Nothing passes and nothing is closed; what was sent meanwhile arrives late, as with TCP.
    DROP = "drop"
    DELAY = "delay"
    RESET = "reset"
    # The broker does what it is asked, and the connection ends before its reply arrives.
    LOSE_REPLIES = "lose replies"


class Catch:
    """One request that is to be caught, in flight: before the broker has it, or before its reply is read."""

    def __init__(self, word: bytes, *, is_done: bool) -> None:
        self.word = word
        self.is_done = is_done
        self.caught = threading.Event()


class InterruptingProxy(TcpProxy):
    """Forwards between clients and the broker on `target_port`, in the mode that is set."""

    def __init__(self, target_port: int, *, seed: int) -> None:
        super().__init__(target_port)
        self._random = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        self.mode = Mode.PASS
        self.catch: Catch | None = None

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        while self._pass_on(client, server):
            pass

    def _pass_on(self, client: socket.socket, broker: socket.socket) -> bool:
        """Forward what has come from either side; False to end the connection."""
        if self.closed.is_set():
            return False
        ready, _, _ = select.select([client, broker], [], [], _POLL_SECONDS)
        if self.mode is Mode.RESET:
            reset(client)
            return False
        if client in ready and not self._send_request(client.recv(CHUNK_BYTES), broker):
            return False
        return broker not in ready or self._send_reply(broker.recv(CHUNK_BYTES), client)

    def _send_request(self, chunk: bytes, broker: socket.socket) -> bool:
        caught = self._find_catch(chunk)
        self._wait()
        if chunk and (caught is None or caught.is_done):
            broker.sendall(chunk)
        if caught is not None:
            # The client is left without an answer.
            caught.caught.set()
            self.closed.wait(_CAUGHT_SECONDS)
        return bool(chunk) and caught is None

    def _send_reply(self, chunk: bytes, client: socket.socket) -> bool:
        self._wait()
        if not chunk or self.mode is Mode.LOSE_REPLIES:
            return False
        client.sendall(chunk)
        return True

    def _wait(self) -> None:
        while self.mode is Mode.DROP and not self.closed.is_set():
            time.sleep(_POLL_SECONDS)
        if self.mode is Mode.DELAY:
            time.sleep(self._random.uniform(*DELAY_SECONDS))

    def _find_catch(self, chunk: bytes) -> Catch | None:
        wanted = self.catch
        if wanted is None or wanted.word not in chunk:
            return None
        self.catch = None
        return wanted
