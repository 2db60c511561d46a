"""A proxy before the broker, which can cut off whoever goes through it."""

from __future__ import annotations

import random
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from enum import StrEnum

_POLL_SECONDS = 0.05
_CHUNK = 65536
_CAUGHT_SECONDS = 10.0
# Closing such a socket sends a reset.
_RESET = struct.pack("ii", 1, 0)
DELAY_SECONDS = (0.2, 1.4)


class Mode(StrEnum):
    """What becomes of what passes."""

    PASS = "pass"  # noqa: S105 - no password
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


class Proxy:
    """Forwards between clients and the broker on `target_port`, in the mode that is set."""

    def __init__(self, target_port: int, *, seed: int) -> None:
        self._target_port = target_port
        self._random = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.mode = Mode.PASS
        self.catch: Catch | None = None
        self._closed = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._target_port)) as broker:
            while self._pass_on(client, broker):
                pass

    def _pass_on(self, client: socket.socket, broker: socket.socket) -> bool:
        """Forward what has come from either side; False to end the connection."""
        if self._closed.is_set():
            return False
        ready, _, _ = select.select([client, broker], [], [], _POLL_SECONDS)
        if self.mode is Mode.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return False
        if client in ready and not self._send_request(client.recv(_CHUNK), broker):
            return False
        return broker not in ready or self._send_reply(broker.recv(_CHUNK), client)

    def _send_request(self, chunk: bytes, broker: socket.socket) -> bool:
        caught = self._find_catch(chunk)
        self._wait()
        if chunk and (caught is None or caught.is_done):
            broker.sendall(chunk)
        if caught is not None:
            # Whoever asked is left without an answer.
            caught.caught.set()
            self._closed.wait(_CAUGHT_SECONDS)
        return bool(chunk) and caught is None

    def _send_reply(self, chunk: bytes, client: socket.socket) -> bool:
        self._wait()
        if not chunk or self.mode is Mode.LOSE_REPLIES:
            return False
        client.sendall(chunk)
        return True

    def _wait(self) -> None:
        while self.mode is Mode.DROP and not self._closed.is_set():
            time.sleep(_POLL_SECONDS)
        if self.mode is Mode.DELAY:
            time.sleep(self._random.uniform(*DELAY_SECONDS))

    def _find_catch(self, chunk: bytes) -> Catch | None:
        wanted = self.catch
        if wanted is None or wanted.word not in chunk:
            return None
        self.catch = None
        return wanted
