"""Settings of the HTTP probe of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports_worker.lib.environ import read


@dataclass(frozen=True)
class ProbeSettings:
    """Where a worker can be asked whether it lives; nowhere while there is no port."""

    port: int | None = None
    host: str = "127.0.0.1"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ProbeSettings:
        """Read the settings; raise SettingsError on the first bad one."""
        return cls(
            port=read(environ, "REPORTS_PROBE_PORT", _parse_port, cls.port),
            host=read(environ, "REPORTS_PROBE_HOST", str, cls.host).strip("[]"),
        )


def _parse_port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 65536:
        raise ValueError("give a whole number from 1 to 65535")
    return int(text)
