"""Characters that replace, in a specification, text that the renderer would misread or crash on.

The renderer ends its process at a character that XML forbids, and fails where it cuts a text within a character
beyond U+FFFF. Vega reads a column's name as a path and a title as a part of an expression, and it loses
categories that have the name of a property of every JavaScript object. So each of these becomes a character that
the chart has nowhere else, and is put back into the finished picture. What differs before differs there too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from reports_worker.lib.valid_text import to_xml

# Characters of the product's fonts; emoji, which are wider, replace emoji.
_CHARACTERS = range(0x4E00, 0x9FA6)
_EMOJI = range(0x2648, 0x2654)
_FIRST_EMOJI = "\U0001f000"
_OBJECT = (
    "__proto__|__defineGetter__|__defineSetter__|__lookupGetter__|__lookupSetter__|constructor|hasOwnProperty|"
    "isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf"
)
# In JSON; an escape is matched as a whole, so that a backslash in a text begins no escape.
_MISREAD = re.compile(
    r"\\u(?P<control>00[01][0-9a-f])|\\(?P<short>[bf])|\\."
    rf'|"(?P<property>{_OBJECT})"'
    "|(?P<character>[\ud800-\udfff\ufffe\uffff\u2028\u2029\U00010000-\U0010ffff])"
)
_MISREAD_IN_TITLES = re.compile(r"[\\\n\r]")


def needs_stand_ins(text: str) -> bool:
    """Test whether a specification, which is JSON, may need stand-ins."""
    return "\\" in text or _MISREAD.search(text) is not None


class StandIns:
    """The stand-ins of one specification; `text` is the whole specification, as JSON."""

    def __init__(self, text: str) -> None:
        used = set(text)
        self._free = (chr(code) for code in _CHARACTERS if chr(code) not in used)
        self._free_emoji = (chr(code) for code in _EMOJI if chr(code) not in used)
        self._taken: dict[str, str] = {}
        # What each stand-in replaces in the picture.
        self.shown: dict[str, str] = {}

    def name_column(self, place: int, name: str) -> str:
        """Return a name for a column that is no path, and no part of a name that Vega derives."""
        stand_in = f"c{place}{self._take('')}"
        self.shown[stand_in] = name
        return stand_in

    def write_title(self, title: str) -> str:
        """Write a title, which Vega also puts into an expression, where only quotes are escaped."""
        return _MISREAD_IN_TITLES.sub(lambda found: self._take(found[0]), title)

    def write(self, text: str) -> str:
        """Write the specification."""
        return _MISREAD.sub(self._write, text)

    def _write(self, found: re.Match[str]) -> str:
        if found["property"]:
            first, rest = found["property"][0], found["property"][1:]
            return f'"{self._take(first)}{rest}"'
        if found["control"]:
            return self._take(chr(int(found["control"], 16)))
        if found["short"]:
            return self._take("\b" if found["short"] == "b" else "\f")
        return self._take(found["character"]) if found["character"] else found[0]

    def _take(self, character: str) -> str:
        if character not in self._taken:
            stand_in = next(self._free_emoji, None) if character >= _FIRST_EMOJI else None
            self._taken[character] = stand_in = stand_in or next(self._free)
            self.shown[stand_in] = character
        return self._taken[character]


def restore(picture: str, shown: Mapping[str, str]) -> str:
    """Replace the stand-ins in a picture, which is XML, by the original text."""
    texts = {stand_in: escape(to_xml(text), {'"': "&quot;"}) for stand_in, text in shown.items()}
    # Names of columns first: they end with a stand-in for an empty text.
    for stand_in, text in texts.items():
        if len(stand_in) > 1:
            picture = picture.replace(stand_in, text)
    return picture.translate({ord(stand_in): text for stand_in, text in texts.items() if len(stand_in) == 1})
