"""Valid names of sheets: at most 31 characters, some forbidden, each unique."""

from __future__ import annotations

import re

LONGEST = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f\ufffe\uffff\ud800-\udfff]+")
_RESERVED = "history"


class SheetNames:
    """The names of the sheets of one workbook."""

    def __init__(self) -> None:
        self._taken = {_RESERVED}

    def take(self, title: str) -> str:
        """Return a unique name that resembles the title."""
        return self.take_series(title, count=1)[0]

    def take_series(self, title: str, *, count: int) -> list[str]:
        """Return the names of several sheets: `name`, `name (2)` and so on."""
        wanted = _FORBIDDEN.sub(" ", title).strip(" '") or "Sheet"
        return [self._take_one(wanted, number) for number in range(1, count + 1)]

    def _take_one(self, wanted: str, number: int) -> str:
        while True:
            end = f" ({number})" if number > 1 else ""
            name = _cut(wanted, LONGEST - len(end)) + end
            if name.lower() not in self._taken:
                self._taken.add(name.lower())
                return name
            number += 1


def _cut(text: str, units: int) -> str:
    """Cut a text to a number of UTF-16 units, which Excel counts."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore").rstrip(" '")
