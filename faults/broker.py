"""The broker of one scenario, with the configuration that the apphost gives to its own."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from apphost.broker.configuration import write_configuration
from apphost.broker.server import choose_server

from .programs import Program, free_port
from .waiting import wait_until

_START_SECONDS = 30


class Broker:
    """A server that is killed, held still and starved, on data that stay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._password = secrets.token_hex(16)
        configuration = write_configuration(folder, port=self.port, password=self._password)
        self._program = Program(
            [choose_server(folder).program.path, configuration], folder.parent / "broker.log", folder=folder
        )

    def url(self, *, port: int | None = None) -> str:
        """Its address, or that of a proxy before it."""
        return f"redis://:{self._password}@127.0.0.1:{port or self.port}/0"

    def connect(self) -> Redis:
        return Redis.from_url(self.url(), socket_timeout=5)

    def start(self) -> None:
        self._program.start()
        wait_until(self._answers, seconds=_START_SECONDS, what="the broker's answer")

    def kill(self) -> None:
        self._program.kill()

    def pause(self) -> None:
        self._program.send(signal.SIGSTOP)

    def resume(self) -> None:
        self._program.send(signal.SIGCONT)

    def limit_memory(self, limit: int) -> None:
        """Let it have so many bytes; 0 for as many as there are."""
        with self.connect() as redis:
            redis.config_set("maxmemory", limit)

    def is_writable(self) -> bool:
        try:
            with self.connect() as redis:
                return bool(redis.set("faults:probe", "1", px=1))
        except RedisError:
            return False

    def _answers(self) -> bool:
        try:
            with self.connect() as redis:
                return bool(redis.ping())
        except RedisError:
            return False
