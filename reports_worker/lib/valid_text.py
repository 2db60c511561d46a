"""Text that files can contain."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def make_valid(text: str) -> str:
    """Replace characters that UTF-8 cannot encode by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def to_xml(text: str) -> str:
    """Replace characters that XML forbids by U+FFFD; SVG and XLSX are XML."""
    return _FORBIDDEN.sub(REPLACEMENT, text)
