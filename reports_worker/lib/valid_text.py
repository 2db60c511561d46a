"""Text as files can hold it."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def make_valid(text: str) -> str:
    """Put U+FFFD in place of what no UTF-8 can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def to_xml(text: str) -> str:
    """Put U+FFFD in place of what XML forbids, which SVG and XLSX are written in."""
    return _FORBIDDEN.sub(REPLACEMENT, text)
