"""The apphost's settings, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import SettingsError
from .whole_number import LAST_PORT, is_whole

MAX_REPLICAS = 64


@dataclass(frozen=True)
class Settings:
    """Ports, replicas, and the folder for the apphost's persistent files."""

    port: int = 8000
    dashboard_port: int = 18888
    workers: int = 2
    folder: Path = Path(".apphost")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError with variable and value for the first invalid one."""
        return cls(
            port=_read_whole(environ, "PORT", cls.port, 1, LAST_PORT),
            dashboard_port=_read_whole(environ, "DASHBOARD_PORT", cls.dashboard_port, 1, LAST_PORT),
            workers=_read_whole(environ, "WORKERS", cls.workers, 1, MAX_REPLICAS),
            folder=Path(environ.get("APPHOST_DIR") or cls.folder),
        )


def _read_whole(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not is_whole(text, low, high):
        raise SettingsError(f"{name}={text!r} is not valid: give a whole number from {low} to {high}")
    return int(text)
