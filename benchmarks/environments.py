"""The environments that the two sides run in: ours is the one we run in, the peer has one of its own."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEER = Path(__file__).parent / "peer"

_PEER_LOCK = PEER / "requirements.txt"
_PEER_ENVIRONMENT = Path(__file__).parent / ".peer-venv"
_LIST_VERSIONS = (
    "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
)

# Rewriting the append-only file would slow down whichever measurement it happens to fall on.
BROKER_OPTIONS = ("--auto-aof-rewrite-percentage", "0")


def prepare_peer(tell: Callable[[str], None]) -> Path:
    """Make the peer's environment from its locked requirements, unless it stands; return its Python."""
    python = _PEER_ENVIRONMENT / "bin" / "python"
    stamp, wanted = _PEER_ENVIRONMENT / "installed", _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return python
    tell("Installing the peer (FastAPI with Celery) in an environment of its own")
    venv.create(_PEER_ENVIRONMENT, clear=True, with_pip=True)
    install = [
        "-m",
        "pip",
        "install",
        "-qq",
        "--disable-pip-version-check",
        "--require-hashes",
        "--no-deps",
    ]
    subprocess.run([python, *install, "--requirement", _PEER_LOCK], check=True)
    stamp.write_text(wanted, encoding="ascii")
    return python


def read_versions(python: str | Path) -> dict[str, str]:
    """Read the version of every package in the environment of `python`."""
    answer = subprocess.run([python, "-c", _LIST_VERSIONS], check=True, capture_output=True, text=True)
    return {name.lower(): version for name, version in json.loads(answer.stdout).items()}


def _fingerprint() -> str:
    lock = hashlib.sha256(_PEER_LOCK.read_bytes()).hexdigest()
    return f"{platform.python_version()} {sys.executable} {lock}"
