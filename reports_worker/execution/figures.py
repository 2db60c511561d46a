"""A report's figures as JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from reports_worker.lib.valid_text import make_valid


def to_json(value: Any) -> Any:
    """Convert a figure; NaN and infinity become None, also within lists and maps.

    Decimals become floats, dates and times become text, and lone surrogates become U+FFFD. A value of a type
    that JSON does not have is returned unchanged.
    """
    match value:
        case Decimal() if not value.is_finite():
            return None
        case float() | Decimal():
            number = float(value)
            return number if math.isfinite(number) else None
        case str() | date():
            return make_valid(value) if isinstance(value, str) else value.isoformat()
        case Mapping():
            return {to_json(key): to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case _:
            return value
