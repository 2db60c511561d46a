"""Whole numbers as text: counts, ports and limits. Only the digits 0 to 9 count, without sign and space."""

from __future__ import annotations

from collections.abc import Callable

LAST_PORT = 65_535
# More digits than any number here has; int() refuses some thousands.
_MOST_DIGITS = 18


def is_whole(text: str, low: int = 0, high: int = 10**_MOST_DIGITS) -> bool:
    """Test whether a text is a whole number from `low` to `high`."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return is_number and low <= int(text) <= high


def parse_whole(low: int, high: int) -> Callable[[str], int]:
    """Make the parser of a whole number from `low` to `high`, which raises ValueError for any other text."""

    def parse(text: str) -> int:
        if not is_whole(text, low, high):
            raise ValueError(f"give a whole number from {low} to {high}")
        return int(text)

    return parse


parse_port = parse_whole(1, LAST_PORT)
