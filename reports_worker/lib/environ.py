"""One variable of the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from reports_worker.errors import SettingsError

T = TypeVar("T")

_BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}


def read(environ: Mapping[str, str], name: str, parse: Callable[[str], T], default: T) -> T:
    """Parse one variable; an empty one counts as not set."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{name}={text!r} is not valid: {error}") from error


def parse_boolean(text: str) -> bool:
    """Parse yes or no, true or false."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError("give yes or no (or true or false)") from None
