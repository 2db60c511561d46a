"""The broker's data on disk: the server that wrote the data, and a small copy of the data for trial starts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from apphost.processes.private_files import write_private

from .programs import MIN_VERSIONS, Program, Server, read_version

# The multi-part file of Redis 7 and Valkey, and the one file of Redis 6.
APPEND_ONLY_FOLDER = "appendonlydir"
_APPEND_ONLY_FILE = "appendonly.aof"
RECORD_FILE = "server.json"
# Files up to this size are copied completely; of larger files, only the head is copied.
_WHOLE_BYTES = 1024 * 1024
_HEAD_BYTES = 200
# A file in the format of Redis or Valkey (RDB): its name and version, then pairs such as `redis-ver` 7.0.15.
_MAGIC = re.compile(rb"(REDIS|VALKEY)\d{3,4}")
_MAGIC_BYTES = 9
_WRITER = re.compile(rb"(redis|valkey)-ver.(\d+\.\d+\.\d+)", re.DOTALL)
# The end of such a file, without a checksum.
_END = b"\xff" + bytes(8)
# Only Valkey reads and writes files that begin so. Redis and Valkey read each other's older files.
_VALKEY_FORMAT = "VALKEY"
_RECORDED_VERSION = re.compile(r"\d{1,9}\.\d{1,9}[\w.-]{0,40}", re.ASCII)


@dataclass(frozen=True)
class ServerRecord:
    """The server that used the data last, and its program file."""

    name: str
    version: str
    path: str
    size: int
    modified_ns: int

    @classmethod
    def of(cls, server: Server) -> ServerRecord:
        program = server.program
        return cls(server.name, server.version, program.path, program.size, program.modified_ns)

    def find_server(self, program: Program) -> Server | None:
        """Return the recorded server if `program` is the same file; the program is not run."""
        server = Server(program, self.name, self.version)
        return server if ServerRecord.of(server) == self else None


@dataclass(frozen=True)
class Writer:
    """The server that wrote the data, and their format, as far as known."""

    name: str = ""
    version: str = ""
    format: str = ""

    def is_compatible_with(self, server: Server) -> bool:
        """Whether a server has the same name and the same or a newer version."""
        return server.name == self.name and read_version(server.version) >= read_version(self.version)


def has_data(folder: Path) -> bool:
    """Whether the folder contains data of a broker."""
    return any(True for _ in _find_files(folder))


def read_server_record(folder: Path) -> ServerRecord | None:
    """Read the record of the last server; None if the record is missing or invalid."""
    try:
        record = ServerRecord(**json.loads((folder / RECORD_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return record if _is_valid(record) else None


def find_server_record(folder: Path) -> ServerRecord | None:
    """Read the record of the last server; None also if that server cannot have written the data."""
    record = read_server_record(folder)
    if record is None or record.name == "Valkey":
        return record
    return None if find_writer(folder, None).format.startswith(_VALKEY_FORMAT) else record


def _is_valid(record: ServerRecord) -> bool:
    texts, numbers = (record.name, record.version, record.path), (record.size, record.modified_ns)
    return (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and record.name in MIN_VERSIONS
        and _RECORDED_VERSION.fullmatch(record.version) is not None
    )


def write_server_record(folder: Path, server: Server) -> None:
    """Store the record of the running server."""
    record = ServerRecord.of(server)
    if record != read_server_record(folder):
        write_private(folder / RECORD_FILE, json.dumps(asdict(record)))


def find_writer(folder: Path, record: ServerRecord | None) -> Writer:
    """Find the writer of the data: the recorded server, else the server in the head of the newest file."""
    writer = Writer()
    files = sorted(_find_files(folder), key=lambda path: path.stat().st_mtime, reverse=True)
    for head in map(_read_head, files):
        if magic := _MAGIC.match(head):
            found = _WRITER.search(head)
            name, version = (found[1].decode().title(), found[2].decode()) if found else ("", "")
            writer = Writer(name, version, magic[0].decode())
            break
    return writer if record is None else replace(writer, name=record.name, version=record.version)


def copy_small(folder: Path, target: Path) -> None:
    """Copy the data files; of large files, only the head, from which a server recognizes the format."""
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
