"""The one broker of a run, with the configuration that the apphost gives to its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from apphost.broker.configuration import write_configuration
from apphost.broker.server import choose_server

from .programs import free_port, run_program, wait_until

# Rewriting the append-only file would slow down whichever measurement it happens to fall on.
_DIFFERENT = ("--auto-aof-rewrite-percentage", "0")
DATABASES = 16


@dataclass(frozen=True)
class Broker:
    """A broker that runs, and where."""

    port: int
    password: str

    def url(self, *, database: int = 0, port: int | None = None) -> str:
        """Its address, or that of a proxy before it."""
        return f"redis://:{self.password}@127.0.0.1:{port or self.port}/{database}"

    def connect(self, database: int = 0) -> Redis:
        return Redis.from_url(self.url(database=database))

    def flush(self) -> None:
        with self.connect() as redis:
            redis.flushall()

    def read_version(self) -> str:
        with self.connect() as redis:
            server = redis.info("server")
        return (
            f"Valkey {server['valkey_version']}"
            if "valkey_version" in server
            else f"Redis {server['redis_version']}"
        )


@contextmanager
def run_broker(folder: Path) -> Iterator[Broker]:
    """Run a broker whose data are in `folder`."""
    broker = Broker(free_port(), secrets.token_hex(16))
    configuration = write_configuration(folder, port=broker.port, password=broker.password)
    with run_program([choose_server(folder).program.path, configuration, *_DIFFERENT], folder=folder):
        wait_until(lambda: _answers(broker), what="the broker")
        yield broker


def _answers(broker: Broker) -> bool:
    try:
        with broker.connect() as redis:
            return bool(redis.ping())
    except RedisError:
        return False
