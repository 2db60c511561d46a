"""The prefix of all keys in Redis. RQ checks the prefix when RQ is imported, so this is the first import of RQ."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from reports_worker.errors import SettingsError

__all__ = ["RQ_KEY_PREFIX"]

# Python imports a package before its `__main__`, with this name of the program; `reports` is the installed command.
_OWN_PROGRAMS = ("-m", "reports")


def _refuse(value: str, error: ValueError) -> None:
    """Exit in a program of this product, which cannot catch an error of this import, or raise SettingsError."""
    sentence = (
        f"RQ_KEY_PREFIX={value!r} is not valid: it must be one or more of the letters A to Z and a to z, digits "
        "and _ . : - { }, or not be set."
    )
    if Path((sys.argv or [""])[0]).name in _OWN_PROGRAMS:
        sys.exit(sentence)
    raise SettingsError(sentence) from error


try:
    from rq.defaults import RQ_KEY_PREFIX
except ValueError as error:
    _refuse(os.environ.get("RQ_KEY_PREFIX", ""), error)
