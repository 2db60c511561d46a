"""Where a callback may go: to hosts that the administrator has allowed, and nowhere else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 2000
VARIABLE = "REPORTS_CALLBACK_HOSTS"

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*", re.ASCII)
# urlsplit drops line breaks and tabs without an error, and browsers read a backslash as a slash.
_CHARACTERS = re.compile(r"[\x21-\x5b\x5d-\x7e]+", re.ASCII)
_PORT = "The callback_url has a port that is no number from 1 to 65535."


def parse_host_patterns(text: str) -> tuple[str, ...]:
    """Read host names with commas between them: `hooks.example.com, *.example.org`. Raises ValueError."""
    patterns = tuple(part.strip().lower().strip("[]") for part in text.split(",") if part.strip())
    for pattern in patterns:
        if not (_NAME.fullmatch(pattern) or _is_address(pattern)):
            raise ValueError(
                f"{pattern!r} is no host name: give names without scheme and port, with commas between them, "
                "such as hooks.example.com or *.example.com"
            )
    return patterns


def is_allowed_host(host: str, patterns: Sequence[str]) -> bool:
    """Tell whether a lower-case host is listed, itself or as a name below a `*.`."""
    return any(
        host.endswith(pattern[1:]) and len(host) >= len(pattern) and not _is_address(host)
        if pattern.startswith("*.")
        else host == pattern
        for pattern in patterns
    )


def find_fault(url: object, patterns: Sequence[str]) -> str | None:
    """Return a sentence that says why a callback cannot go to `url`; None when it can."""
    if not isinstance(url, str):
        return "The callback_url must be text."
    if len(url) > LONGEST_URL:
        return f"The callback_url must have at most {LONGEST_URL:,} characters."
    if not _CHARACTERS.fullmatch(url):
        return (
            "The callback_url must be printable ASCII: %-encode other characters, and use a host's xn-- name."
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        return "The callback_url cannot be read as a URL."
    return _find_fault_of_parts(parts, has_fragment="#" in url) or _find_fault_of_host(
        parts.hostname or "", patterns
    )


def _find_fault_of_parts(parts: SplitResult, *, has_fragment: bool) -> str | None:
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "The callback_url must begin with https:// or http:// and a host."
    if "@" in parts.netloc:
        return "The callback_url must not hold a user or a password: deliveries are signed instead."
    if has_fragment:
        return "The callback_url must not have a fragment (#)."
    try:
        return _PORT if parts.port == 0 or parts.netloc.endswith(":") else None
    except ValueError:
        return _PORT


def _find_fault_of_host(host: str, patterns: Sequence[str]) -> str | None:
    if not patterns:
        return f"Callbacks are off: an administrator can allow hosts with {VARIABLE}."
    if not is_allowed_host(host, patterns):
        return (
            f"Callbacks to {host[:100]!r} are not allowed: an administrator can add the host to {VARIABLE}."
        )
    return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
