"""The broker's data on disk: which server wrote them, and a small copy of them to try a server with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from apphost.processes.private_files import write_private

from .programs import OLDEST, Program, Server, read_version

# The multi-part file of Redis 7 and Valkey, and the one file of Redis 6.
APPEND_ONLY_FOLDER = "appendonlydir"
_APPEND_ONLY_FILE = "appendonly.aof"
MARK_FILE = "server.json"
# Files up to this size are copied whole, and larger ones only with their heads.
_WHOLE_BYTES = 1024 * 1024
_HEAD_BYTES = 200
# A file in the format of Redis or Valkey (RDB): its name and version, then pairs such as `redis-ver` 7.0.15.
_MAGIC = re.compile(rb"(REDIS|VALKEY)\d{3,4}")
_MAGIC_BYTES = 9
_WRITER = re.compile(rb"(redis|valkey)-ver.(\d+\.\d+\.\d+)", re.DOTALL)
# The end of such a file, without a checksum.
_END = b"\xff" + bytes(8)
# Only Valkey reads and writes what begins so. Both read the other's files of the older form.
_OF_VALKEY = "VALKEY"
_MARKED_VERSION = re.compile(r"\d{1,9}\.\d{1,9}[\w.-]{0,40}", re.ASCII)


@dataclass(frozen=True)
class Mark:
    """Which server ran over the data last, and which file it was."""

    name: str
    version: str
    path: str
    size: int
    modified_ns: int

    @classmethod
    def of(cls, server: Server) -> Mark:
        program = server.program
        return cls(server.name, server.version, program.path, program.size, program.modified_ns)

    def find_server(self, program: Program) -> Server | None:
        """Tell without running it what a program is, if it is that very file."""
        server = Server(program, self.name, self.version)
        return server if Mark.of(server) == self else None


@dataclass(frozen=True)
class Writer:
    """Who wrote data and in which format, as far as the data tell."""

    name: str = ""
    version: str = ""
    format: str = ""

    def is_met_by(self, server: Server) -> bool:
        """Tell whether a server is this one or a newer one of its name."""
        return server.name == self.name and read_version(server.version) >= read_version(self.version)


def has_data(folder: Path) -> bool:
    """Tell whether a broker has kept anything here."""
    return any(True for _ in _find_files(folder))


def read_mark(folder: Path) -> Mark | None:
    """Read which server ran here last; None where nothing tells it."""
    try:
        mark = Mark(**json.loads((folder / MARK_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return mark if _is_sound(mark) else None


def find_mark(folder: Path) -> Mark | None:
    """Read which server ran here last; None where nothing tells it, or where the data are none of such a server."""
    mark = read_mark(folder)
    if mark is None or mark.name == "Valkey":
        return mark
    return None if find_writer(folder, None).format.startswith(_OF_VALKEY) else mark


def _is_sound(mark: Mark) -> bool:
    texts, numbers = (mark.name, mark.version, mark.path), (mark.size, mark.modified_ns)
    return (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and mark.name in OLDEST
        and _MARKED_VERSION.fullmatch(mark.version) is not None
    )


def write_mark(folder: Path, server: Server) -> None:
    """Keep which server runs here."""
    mark = Mark.of(server)
    if mark != read_mark(folder):
        write_private(folder / MARK_FILE, json.dumps(asdict(mark)))


def find_writer(folder: Path, mark: Mark | None) -> Writer:
    """Find who wrote the data: the marked server, else what the newest file with a head says."""
    writer = Writer()
    files = sorted(_find_files(folder), key=lambda path: path.stat().st_mtime, reverse=True)
    for head in map(_read_head, files):
        if magic := _MAGIC.match(head):
            found = _WRITER.search(head)
            name, version = (found[1].decode().title(), found[2].decode()) if found else ("", "")
            writer = Writer(name, version, magic[0].decode())
            break
    return writer if mark is None else replace(writer, name=mark.name, version=mark.version)


def copy_small(folder: Path, target: Path) -> None:
    """Copy data files, of large ones no more than tells a server whether it can read their format."""
    for path in _find_files(folder):
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_size <= _WHOLE_BYTES:
            copy.write_bytes(path.read_bytes())
        else:
            head = _read_head(path)
            copy.write_bytes(head[:_MAGIC_BYTES] + _END if _MAGIC.match(head) else b"")


def _find_files(folder: Path) -> Iterator[Path]:
    for path in (folder / _APPEND_ONLY_FILE, *sorted((folder / APPEND_ONLY_FOLDER).glob("*"))):
        if path.is_file():
            yield path


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
