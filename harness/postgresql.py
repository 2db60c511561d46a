"""A real PostgreSQL server for tests: a cluster of its own, on a free port of the loopback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from .ports import free_port
from .wait import wait_until

# The server refuses to run as root.
_USER = "postgres"
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_parallel_workers_per_gather = 0
shared_buffers = 32MB
"""


def is_installed() -> bool:
    return bool(_find_programs("initdb") or shutil.which("initdb"))


def find_program(name: str) -> str:
    """Find a program of the server, which Debian keeps beside PATH."""
    beside = _find_programs(name)
    found = str(beside[-1]) if beside else shutil.which(name)
    assert found, f"{name} is not installed: apt install postgresql"
    return found


def _find_programs(name: str) -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))


def _as_user(command: Sequence[str]) -> list[str]:
    return ["runuser", "-u", _USER, "--", *command] if os.geteuid() == 0 else list(command)


class PostgreSQL:
    """A server process that can be stopped, killed and started again on its data."""

    password = "pa:ss@wo;rd'"

    def __init__(self, folder: Path) -> None:
        """Keep the data in `folder`, which the server's user must be able to reach."""
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> PostgreSQL:
        secret = self.folder / "password"
        secret.write_text(self.password)
        if os.geteuid() == 0:
            shutil.chown(self.folder, _USER)
            shutil.chown(secret, _USER)
        options = [
            "--username=owner",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--no-sync",
            "--no-locale",
        ]
        command = [find_program("initdb"), *options, "--encoding=UTF8", str(self.data)]
        subprocess.run(_as_user(command), check=True, capture_output=True, cwd=self.folder)
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION + f"unix_socket_directories = '{self.folder}'\n")
        return self

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> PostgreSQL:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_user([find_program("postgres"), "-D", str(self.data), "-p", str(self.port)]),
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        wait_until(self._answers, what="PostgreSQL answering")
        return self

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends its sessions first, SIGQUIT drops them."""
        if self._process is not None:
            os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), how)
            self._process.wait(timeout=20)
            self._process = None

    def address(self, *, user: str = "owner", password: str | None = None, database: str = "postgres") -> str:
        """The connection string in Aspire's form."""
        secret = (self.password if password is None else password).replace("'", "''")
        return f"Host=127.0.0.1;Port={self.port};Username={user};Password='{secret}';Database={database}"

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="owner", password=self.password, dbname="postgres",
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def running_queries(self) -> list[str]:
        """What reports run in the server at this moment."""
        with self.connect() as connection:
            found = connection.execute(
                "SELECT query FROM pg_stat_activity WHERE state = 'active' "
                "AND application_name = 'background-reports'"
            ).fetchall()
        return [query for (query,) in found]

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True
