"""Which server the apphost starts as its broker: one that reads the data that are there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from apphost.errors import NoServerError

from .configuration import find_data
from .data import Writer, find_mark, find_writer, has_data
from .programs import OLDEST, Program, Server, find_programs, identify
from .trial import starts_on

_NEEDED = " or ".join(f"{name} {version}" for name, version in OLDEST.items())
_ELSEWHERE = "set ConnectionStrings__broker to a server that runs elsewhere"


def choose_server(folder: Path, path: str | None = None) -> Server:
    """Choose the server for the broker's data in the apphost's folder; for new data, the one of the wheel.

    The very file that ran on the data last is taken as it is. Any other must start on a small copy of them, and
    those that have the writer's name, and are not older, come first. The data themselves are not touched.

    Raises NoServerError where no server can be used.
    """
    data = find_data(folder)
    programs = find_programs(path)
    if not has_data(data):
        return _try_all(programs, data, writer=None)
    mark = find_mark(data)
    for program in programs:
        if mark is not None and (server := mark.find_server(program)):
            return server
    return _try_all(programs, data, writer=find_writer(data, mark))


def _try_all(programs: Iterable[Program], data: Path, *, writer: Writer | None) -> Server:
    refusals: list[str] = []
    servers = _identify_all(programs, refusals)
    for server in sorted(servers, key=lambda one: not (writer and writer.is_met_by(one))):
        if starts_on(server, data):
            return server
        refusals.append(f"{server} from {server.program.source} does not start{' on them' if writer else ''}")
    reasons = "; ".join(dict.fromkeys(refusals)) or "there is none"
    if writer is None:
        raise NoServerError(
            f"No Redis or Valkey here can be the broker ({reasons}): "
            f"install {_NEEDED} or newer, or {_ELSEWHERE}."
        )
    is_damaged = any(writer.is_met_by(server) for server in servers)
    raise NoServerError(_explain(writer, reasons, is_damaged=is_damaged))


def _identify_all(programs: Iterable[Program], refusals: list[str]) -> list[Server]:
    """Find what each program is, and note why some cannot be used."""
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


def _explain(writer: Writer, reasons: str, *, is_damaged: bool) -> str:
    """Say which server the data need."""
    by = f", which {writer.name} {writer.version} wrote" if writer.name else ""
    form = f" in the format {writer.format}" if writer.format else ""
    if is_damaged:
        cure = "they seem to be damaged; restore them"
    elif writer.name:
        cure = f"install {writer.name} {writer.version} or newer"
    else:
        cure = "install the server that wrote them"
    return (
        f"No server here can read the broker's data{by}{form} ({reasons}): "
        f"{cure}, {_ELSEWHERE}, or set APPHOST_DIR to another folder."
    )
