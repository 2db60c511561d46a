"""Settings of callbacks: allowed hosts, the secret that signs, the delays between attempts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from reports_worker.domain import callback_url as callback_urls
from reports_worker.errors import SettingsError
from reports_worker.lib.environ import parse_boolean, read
from reports_worker.lib.masking import SECRET_PREFIX
from reports_worker.lib.units import parse_durations


@dataclass(frozen=True)
class CallbackSettings:
    """Which hosts may receive callbacks, and how; off while `hosts` is empty.

    `delays` are the pauses between attempts; the first attempt has none.
    """

    hosts: tuple[str, ...] = ()
    secret: bytes = field(default=b"", repr=False)
    allow_private: bool = False
    delays: tuple[timedelta, ...] = tuple(
        timedelta(seconds=delay) for delay in (5, 30, 120, 600, 3600, 21600)
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> CallbackSettings:
        """Read the settings; raise SettingsError on the first bad one, and on hosts without a secret."""
        settings = cls(
            hosts=read(environ, callback_urls.VARIABLE, callback_urls.parse_host_patterns, cls.hosts),
            secret=_read_callback_secret(environ),
            allow_private=read(environ, "REPORTS_CALLBACK_PRIVATE", parse_boolean, cls.allow_private),
            delays=read(environ, "REPORTS_CALLBACK_DELAYS", parse_durations, cls.delays),
        )
        if settings.hosts and not settings.secret:
            raise SettingsError(
                f"{callback_urls.VARIABLE} is set and REPORTS_CALLBACK_SECRET is not: callbacks are signed "
                "with it. Set it, the same for API and workers, to what this prints: "
                "python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
            )
        return settings


def _read_callback_secret(environ: Mapping[str, str]) -> bytes:
    text = environ.get("REPORTS_CALLBACK_SECRET", "").strip()
    try:
        return parse_secret(text) if text else b""
    except ValueError as error:
        # The value is a secret, so the message does not repeat it.
        raise SettingsError(f"REPORTS_CALLBACK_SECRET is not valid: {error}") from error


SHORTEST_SECRET_BYTES = 24
LONGEST_SECRET_BYTES = 64


def parse_secret(text: str) -> bytes:
    """Read `whsec_` and base64; raise ValueError with a sentence that does not repeat the secret."""
    wanted = (
        f"give {SECRET_PREFIX} and {SHORTEST_SECRET_BYTES} to {LONGEST_SECRET_BYTES} random bytes in base64"
    )
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(wanted)
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(wanted) from None
    if not SHORTEST_SECRET_BYTES <= len(secret) <= LONGEST_SECRET_BYTES:
        raise ValueError(wanted)
    return secret
