"""The environment of tests: settings of the product that the shell happens to have do not reach a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_PREFIXES = ("REPORTS_", "ConnectionStrings__", "RQ_")
_NAMES = {
    "APPHOST_DIR", "BROKER_URI", "DASHBOARD_PORT", "GUNICORN_CMD_ARGS", "PORT", "WAREHOUSE",
    "WEB_CONCURRENCY", "WORKERS",
}  # fmt: skip


def find_settings(environ: Mapping[str, str]) -> Sequence[str]:
    """Find the names of the product's settings in an environment."""
    return sorted(name for name in environ if name in _NAMES or name.startswith(_PREFIXES))
