"""Settings of the HTTP probe of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports_worker.lib.environ import read
from reports_worker.lib.whole_number import parse_port


@dataclass(frozen=True)
class ProbeSettings:
    """The address of the HTTP probe of a worker; off while there is no port."""

    port: int | None = None
    host: str = "127.0.0.1"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ProbeSettings:
        """Read the settings; raise SettingsError on the first bad one."""
        return cls(
            port=read(environ, "REPORTS_PROBE_PORT", parse_port, cls.port),
            host=read(environ, "REPORTS_PROBE_HOST", str, cls.host).strip("[]"),
        )
