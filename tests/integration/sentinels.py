"""A primary, its replica, and sentinels that watch them: real processes on loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from harness.broker import Broker, find_server
from harness.ports import free_port
from harness.wait import wait_until

PRIMARY = "myPrimary"
PASSWORD = "of the sentinels"
COUNT = 3

_CONFIGURATION = f"""\
port {{port}}
bind 127.0.0.1
dir "{{folder}}"
requirepass "{PASSWORD}"
sentinel sentinel-pass "{PASSWORD}"
sentinel monitor {PRIMARY} 127.0.0.1 {{primary}} 2
sentinel down-after-milliseconds {PRIMARY} 1000
sentinel failover-timeout {PRIMARY} 4000
sentinel auth-pass {PRIMARY} secret
"""


class Sentinels:
    """Two servers and the sentinels that make one of them the primary."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.first = Broker(folder / "first", "--masterauth", "secret")
        replica_of = ("--replicaof", "127.0.0.1", str(self.first.port), "--masterauth", "secret")
        self.second = Broker(folder / "second", *replica_of)
        self.ports = [free_port() for _ in range(COUNT)]
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for broker in (self.first, self.second):
            broker.start()
            with broker.client() as client:
                client.config_set("repl-diskless-sync-delay", 0)
                client.config_set("requirepass", "secret")
        self._processes = [self._start(self._folder / f"sentinel-{port}", port) for port in self.ports]
        wait_until(self._agree, what="sentinels that know each other and the replica")

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"redis+sentinel://:secret@{hosts}/{PRIMARY}?sentinel_password={PASSWORD.replace(' ', '%20')}"

    def client(self, broker: Broker) -> Redis:
        return Redis(port=broker.port, password="secret", socket_timeout=5)

    def wait_until_replicated(self) -> None:
        """Wait until the replica has all that the primary has."""
        with self.client(self.first) as first, self.client(self.second) as second:
            wait_until(
                lambda: (
                    first.info("replication")["master_repl_offset"]
                    <= second.info("replication")["slave_repl_offset"]
                ),
                what="a replica that has everything",
            )

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self.first.stop()
        self.second.stop()

    def _start(self, folder: Path, port: int) -> subprocess.Popen[bytes]:
        folder.mkdir()
        path = folder / "sentinel.conf"
        path.write_text(_CONFIGURATION.format(port=port, folder=folder, primary=self.first.port))
        with (folder / "log").open("wb") as log:
            command = [find_server(), str(path), "--sentinel"]
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def _agree(self) -> bool:
        try:
            return all(self._knows_all(port) for port in self.ports)
        except RedisError:
            return False

    def _knows_all(self, port: int) -> bool:
        with Redis(port=port, password=PASSWORD, socket_timeout=1) as sentinel:
            state = sentinel.sentinel_master(PRIMARY)
            return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == COUNT - 1)


class OneSentinel:
    """A sentinel that is told which server is the primary, so that there is no verdict to wait for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self._port}/{PRIMARY}"

    def start(self, primary: Broker) -> None:
        self._folder.mkdir()
        path = self._folder / "sentinel.conf"
        path.write_text(f'port {self._port}\nbind 127.0.0.1\ndir "{self._folder}"\n')
        with (self._folder / "log").open("wb") as log:
            command = [find_server(), str(path), "--sentinel"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self._name(primary), what="a sentinel")

    def name_as_primary(self, broker: Broker) -> None:
        with Redis(port=self._port, socket_timeout=5) as sentinel:
            sentinel.sentinel_remove(PRIMARY)
        self._name(broker)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _name(self, broker: Broker) -> bool:
        try:
            with Redis(port=self._port, socket_timeout=5) as sentinel:
                return bool(sentinel.sentinel_monitor(PRIMARY, "127.0.0.1", broker.port, 1))
        except RedisError:
            return False
