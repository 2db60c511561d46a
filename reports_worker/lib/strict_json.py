"""JSON that can be written out again: no NaN, no half of a surrogate pair, no endless nesting."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]", re.ASCII)


def parse_json(text: str) -> Any:
    """Parse JSON; raise ValueError for a text that is not JSON or that could not be written again."""
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if _SURROGATE.search(text):
        # Fails for half of a surrogate pair.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def expect(value: Any, kind: type | tuple[type, ...]) -> Any:
    """Return the value; raise TypeError if it is of another type."""
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} is another type than expected")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON can hold")
    return number


# Created once: with options, each json.loads creates a new one.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_parse_float)
