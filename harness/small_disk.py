"""A really small file system, which really fills up."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import MissingToolError

SIZE = "8m"
_CHUNK = bytes(65536)


@contextmanager
def mount_small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of a few MB on `folder`; raise MissingToolError where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "harness", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MissingToolError(
            f"A full file system cannot be tried: mount was refused ({done.stderr.strip()}). "
            "Run the suite as root, or in a container with CAP_SYS_ADMIN."
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """Write until there is no room left; return the file that takes it."""
    path = folder / "filler"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    size = len(_CHUNK)
    try:
        while size:
            try:
                os.write(descriptor, _CHUNK[:size])
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 2
    finally:
        os.close(descriptor)
    return path
