"""The common type of a column whose files have different types. Type names are DuckDB's."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal

TEXT = "VARCHAR"
NOTHING = '"NULL"'
# A DOUBLE holds whole numbers up to this one, and 15 digits of any number, exactly.
EXACT_WHOLE = 2**53
EXACT_DIGITS = 15

# The bits of whole numbers, by sign, and the digits that they may have.
_SIGNED = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_UNSIGNED = {"UTINYINT": 8, "USMALLINT": 16, "UINTEGER": 32, "UBIGINT": 64}
_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20, 128: 39}
_MOST_DIGITS = 38
_FLOATS = ("FLOAT", "DOUBLE")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_MOMENTS = ("DATE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")


# Writes the SQL condition for values of a column that a cast would change; gets the quoted name of the column.
Condition = Callable[[str], str]


def unite(types: Collection[str]) -> str | None:
    """Return the common type of all types; None where there is none.

    The cast of a wide type to the common type may change some values: see `find_lossy`.
    """
    kinds = sorted(set(types) - {NOTHING})
    if len(kinds) < 2:
        return kinds[0] if kinds else NOTHING
    if all(kind in _SIGNED or kind in _UNSIGNED for kind in kinds):
        return _unite_whole(kinds)
    if all(is_number(kind) for kind in kinds):
        return "DOUBLE" if any(kind in _FLOATS for kind in kinds) else _unite_decimals(kinds)
    if all(kind in _MOMENTS for kind in kinds):
        return _unite_moments(kinds)
    return None


def is_number(kind: str) -> bool:
    return kind in _SIGNED or kind in _UNSIGNED or kind in _FLOATS or _DECIMAL.fullmatch(kind) is not None


def find_lossy(kind: str, target: str) -> Condition | None:
    """Return the condition for values that a cast to the common type would change; None where there are none."""
    if kind == target:
        return None
    if target == "DOUBLE" and kind in ("BIGINT", "UBIGINT", "HUGEINT"):
        return lambda column: f"{column} > {EXACT_WHOLE} OR {column} < -{EXACT_WHOLE}"
    if target == "DOUBLE" and (match := _DECIMAL.fullmatch(kind)) and int(match[1]) > EXACT_DIGITS:
        limit = f"{Decimal(10) ** (EXACT_DIGITS - int(match[2])):f}"
        return lambda column: f"abs({column}) >= {limit}"
    if target == "TIMESTAMP_NS":
        return lambda column: f"isfinite({column}) AND ({column} < '1677-09-22' OR {column} > '2262-04-11')"
    return None


def _unite_whole(kinds: Sequence[str]) -> str | None:
    signed = max((_SIGNED[kind] for kind in kinds if kind in _SIGNED), default=0)
    unsigned = max((_UNSIGNED[kind] for kind in kinds if kind in _UNSIGNED), default=0)
    if not signed:
        return next(kind for kind, bits in _UNSIGNED.items() if bits == unsigned)
    needed = max(signed, 2 * unsigned)
    return next(kind for kind, bits in _SIGNED.items() if bits >= needed)


def _unite_decimals(kinds: Sequence[str]) -> str | None:
    pairs = [_digits(kind) for kind in kinds]
    whole = max(precision - scale for precision, scale in pairs)
    scale = max(scale for _, scale in pairs)
    return f"DECIMAL({whole + scale},{scale})" if whole + scale <= _MOST_DIGITS else None


def _digits(kind: str) -> tuple[int, int]:
    if match := _DECIMAL.fullmatch(kind):
        return int(match[1]), int(match[2])
    bits = _SIGNED.get(kind) or _UNSIGNED[kind]
    return 19 if kind == "BIGINT" else _DIGITS[bits], 0


def _unite_moments(kinds: Sequence[str]) -> str | None:
    if "TIMESTAMP WITH TIME ZONE" in kinds:
        # A timestamp with time zone has microseconds, not nanoseconds.
        return None if "TIMESTAMP_NS" in kinds else "TIMESTAMP WITH TIME ZONE"
    return "TIMESTAMP_NS" if "TIMESTAMP_NS" in kinds else "TIMESTAMP"
