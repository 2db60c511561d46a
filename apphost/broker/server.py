"""The choice of the server that the apphost starts as broker: a server that can read the existing data."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from apphost.errors import NoServerError

from .configuration import find_data
from .data import Writer, find_server_record, find_writer, has_data
from .programs import MIN_VERSIONS, Program, Server, find_programs, identify
from .trial import starts_on

_NEEDED = " or ".join(f"{name} {version}" for name, version in MIN_VERSIONS.items())
_ELSEWHERE = "set ConnectionStrings__broker to a server that runs elsewhere"


def choose_server(folder: Path, path: str | None = None) -> Server:
    """Choose the server for the broker's data in the apphost's folder; without data, the server in the wheel.

    The program file that used the data last is chosen without a trial. Any other server must start on a small copy
    of the data; servers with the writer's name and at least its version are tried first. The data are not changed.

    Raises NoServerError if no server is suitable.
    """
    data = find_data(folder)
    programs = find_programs(path)
    if not has_data(data):
        return _try_all(programs, data, writer=None)
    record = find_server_record(data)
    for program in programs:
        if record is not None and (server := record.find_server(program)):
            return server
    return _try_all(programs, data, writer=find_writer(data, record))


def _try_all(programs: Iterable[Program], data: Path, *, writer: Writer | None) -> Server:
    refusals: list[str] = []
    servers = _identify_all(programs, refusals)
    for server in sorted(servers, key=lambda one: not (writer and writer.is_compatible_with(one))):
        if starts_on(server, data):
            return server
        refusals.append(f"{server} from {server.program.source} does not start{' on them' if writer else ''}")
    reasons = "; ".join(dict.fromkeys(refusals)) or "there is none"
    if writer is None:
        raise NoServerError(
            f"No Redis or Valkey here can be the broker ({reasons}): "
            f"install {_NEEDED} or newer, or {_ELSEWHERE}."
        )
    is_damaged = any(writer.is_compatible_with(server) for server in servers)
    raise NoServerError(_describe_failure(writer, reasons, is_damaged=is_damaged))


def _identify_all(programs: Iterable[Program], refusals: list[str]) -> list[Server]:
    """Identify each program, and add the reason to `refusals` for each unsuitable one."""
    servers = []
    for program in programs:
        server = identify(program)
        if server is None:
            refusals.append(f"{Path(program.path).name} from {program.source} does not run")
        elif server.is_too_old:
            refusals.append(f"{server} from {program.source} is too old")
        else:
            servers.append(server)
    return servers


def _describe_failure(writer: Writer, reasons: str, *, is_damaged: bool) -> str:
    """Format the message that no server can read the data."""
    by = f", which {writer.name} {writer.version} wrote" if writer.name else ""
    form = f" in the format {writer.format}" if writer.format else ""
    if is_damaged:
        cure = "the data seem to be damaged; restore them from a backup"
    elif writer.name:
        cure = f"install {writer.name} {writer.version} or newer"
    else:
        cure = "install the server that wrote them"
    return (
        f"No server here can read the broker's data{by}{form} ({reasons}): "
        f"{cure}, {_ELSEWHERE}, or set APPHOST_DIR to another folder."
    )
