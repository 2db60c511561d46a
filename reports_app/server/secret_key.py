"""The secret that signs sessions and forms if REPORTS_SECRET_KEY is not set: generated once and stored."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for this user's program state (XDG Base Directory Specification)."""
    base = environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "background-reports"


def keep_secret_key(folder: Path) -> str:
    """Return the key stored in `folder`. The first call generates the key, readable by its owner alone."""
    path = folder / "secret-key"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip() or _replace_empty(path)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key := secrets.token_urlsafe(32))
    return key


def _replace_empty(path: Path) -> str:
    """Write a new key into a file that a full disk has left empty."""
    path.write_text(key := secrets.token_urlsafe(32), encoding="ascii")
    return key
