"""Small private files that are replaced atomically: secrets, and the state for the next run."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from apphost.errors import AlreadyRunningError, ApphostError


def open_folder(folder: Path) -> Path:
    """Create the apphost's folder with access for its owner only."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ApphostError(f"Cannot make the folder {folder}: {error.strerror}. Set APPHOST_DIR.") from error
    return folder


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically, with access for its owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with ExitStack() as stack:
        stack.callback(temporary.unlink, missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)


def keep_secret(path: Path) -> str:
    """Return the secret in a file. The first call generates it from letters and digits, which need no quotes."""
    if path.is_file() and (kept := path.read_text(encoding="utf-8").strip()):
        path.chmod(0o600)
        return kept
    made = secrets.token_hex(16)
    write_private(path, made)
    return made


def lock(folder: Path) -> IO[str]:
    """Lock the folder for this apphost. The kernel releases the lock at any end of the process."""
    file = (folder / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise AlreadyRunningError(
            f"An apphost already runs in {folder.resolve()} (pid {holder}). Stop it, or set APPHOST_DIR."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def is_locked(folder: Path) -> bool:
    """Whether an apphost runs in this folder."""
    try:
        with (folder / "lock").open("r", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
