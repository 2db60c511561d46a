"""Log lines for people and programs: pairs of name=value (logfmt)."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

from .masking import mask

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+-]+", re.ASCII)

# The form of the console, for both gunicorn and rq.
CONSOLE: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "class": "reports_worker.lib.logfmt.MaskedFormatter",
            "format": "%(asctime)s %(levelname)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "stream": sys.stdout}},
    "loggers": {
        name: {"level": "INFO", "handlers": ["console"], "propagate": False}
        for name in ("reports_app", "reports_worker")
    },
}


class MaskedFormatter(logging.Formatter):
    """Writes a line and its traceback without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def logfmt(**fields: object) -> str:
    """Write fields as one line; whatever is not plain ASCII is quoted and escaped as in JSON.

    >>> logfmt(event="task", stage="adding up", seconds=1.5)
    'event=task stage="adding up" seconds=1.5'
    """
    return " ".join(f"{name}={_quote(str(value))}" for name, value in fields.items() if value is not None)


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
