"""The previous version: its code from the history, and an environment that its own lock fills."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from harness.errors import MissingToolError

# The oldest version that this one may run beside; the changelog names it.
NAME = "0.1.0"
COMMIT = "b9dd3e470203fe0ad0bfd74220b24e9951d66891"
LOCK = "requirements.txt"
_ROOT = Path(__file__).parents[2]
_CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "background-reports" / "environments"
)
_LAST_LINES = 3


def find_missing_history(*, root: Path = _ROOT) -> str:
    """Return why the history does not have the previous version; empty if the history has it."""
    try:
        _run_git(root, "cat-file", "-e", f"{COMMIT}^{{commit}}")
    except MissingToolError as error:
        return str(error)
    return ""


def extract(folder: Path, *, root: Path = _ROOT) -> Path:
    """Write the code of the previous version into a folder; raise MissingToolError if there is no history."""
    with tarfile.open(fileobj=BytesIO(_run_git(root, "archive", "--format=tar", COMMIT))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def prepare_environment() -> Path:
    """Return the Python of an environment with the locked packages of the previous version.

    The environment stays in the user's cache, by the digest of the lock, and takes a minute the first time. Where
    packages cannot be installed, the running environment serves if its lock is the same. Raises MissingToolError.
    """
    lock = _run_git(_ROOT, "show", f"{COMMIT}:{LOCK}")
    python = f"{sys.version} {sys.base_prefix}"
    folder = _CACHE / hashlib.sha256(lock + python.encode()).hexdigest()[:16]
    with _only_one(folder.with_suffix(".lock")):
        try:
            return _fill(folder, lock)
        except subprocess.CalledProcessError as error:
            if lock == (_ROOT / LOCK).read_bytes():
                return Path(sys.executable)
            words = " ".join(error.stderr.decode(errors="replace").splitlines()[-_LAST_LINES:])
            raise MissingToolError(f"The packages of version {NAME} cannot be installed: {words}") from error


def _fill(folder: Path, lock: bytes) -> Path:
    python, marker = folder / "bin" / "python", folder / "installed"
    if not marker.exists():
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        (folder / LOCK).write_bytes(lock)
        pip = (
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--no-deps",
        )
        _run(str(python), *pip, "--requirement", str(folder / LOCK))
        marker.touch()
    return python


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Let one process or thread at a time fill an environment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run_git(root: Path, *arguments: str) -> bytes:
    try:
        return _run("git", "-C", str(root), *arguments)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingToolError(
            f"Version {NAME} ({COMMIT[:7]}) is not in the git history of this checkout: "
            "run `git fetch --unshallow`, or leave out the faults that need it."
        ) from error


def _run(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout
