"""The configuration of the broker that the apphost starts."""

from __future__ import annotations

from pathlib import Path

from apphost.processes.private_files import write_private

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


def find_data(folder: Path) -> Path:
    """Return the folder of the broker's data in the apphost's folder."""
    return folder.resolve() / "broker"


def write_configuration(folder: Path, *, port: int, password: str) -> Path:
    """Write the server's configuration into the folder of the broker's data; return its path.

    The password is in this file and never on a command line, which every user of the machine can read.
    """
    return write_in(find_data(folder), port=port, password=password)


def write_in(data: Path, *more: str, port: int, password: str) -> Path:
    """Write the configuration into `data`, with `more` lines."""
    data.mkdir(mode=0o700, exist_ok=True)
    path = data / "broker.conf"
    text = _CONFIGURATION.format(port=port, password=password, folder=f'"{data}"')
    write_private(path, "".join((text, *(f"{line}\n" for line in more))))
    return path
