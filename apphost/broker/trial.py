"""Trial start of a server on a small copy of the broker's data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from apphost.errors import ApphostError
from apphost.processes.child_process import wrap

from .configuration import write_in
from .data import APPEND_ONLY_FOLDER, copy_small
from .programs import Server

TRIAL_SECONDS = 10.0
# Redis and Valkey of every version log this text after they have read their data.
_READY = b"ready to accept connections"


def starts_on(server: Server, data: Path) -> bool:
    """Start a server on a copy of the data, without a port, and kill the server after it has read the data."""
    with _copied(data) as folder:
        # A relative name: the path of a socket is limited to about 100 bytes.
        more = ["unixsocket socket", "auto-aof-rewrite-percentage 0"]
        if (folder / APPEND_ONLY_FOLDER).exists():
            # Redis 6 does not support this setting; it would ignore the folder and start without data.
            more.append(f"appenddirname {APPEND_ONLY_FOLDER}")
        path = write_in(folder, *more, port=0, password="trial")  # noqa: S106 - no client logs in
        return _becomes_ready(wrap([server.program.path, str(path)]), folder)


def _becomes_ready(command: list[str], folder: Path) -> bool:
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        timer = threading.Timer(TRIAL_SECONDS, _kill, [process.pid])
        timer.start()
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
            return any(_READY in line.lower() for line in process.stdout)
        finally:
            timer.cancel()
            _kill(process.pid)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


@contextmanager
def _copied(data: Path) -> Iterator[Path]:
    folder = data.with_name(f"{data.name}-trial")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
        copy_small(data, folder)
        yield folder
    except OSError as error:
        raise ApphostError(
            f"The trial start of the broker failed: {error.strerror}. Set APPHOST_DIR to another folder."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
