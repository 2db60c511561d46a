"""The picture in place of a chart that cannot be drawn: its title and a sentence, written without the renderer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from xml.sax.saxutils import escape

from reports_worker.lib.valid_text import to_xml

from .vega_spec import FAMILIES, WIDTH, choose_ground

_PADDING, _LONGEST = 12, 600
# The font size of a line, and the most letters in a line; Latin letters are narrower than others.
_TITLE, _SENTENCE = (16, 68, 38), (13, 84, 46)


def draw_placeholder(title: str, sentence: str, *, is_dark: bool = False) -> str:
    """Draw the placeholder as SVG."""
    ground = choose_ground(is_dark=is_dark)
    lines = [*_wrap(title, *_TITLE), *_wrap(sentence, *_SENTENCE)]
    bottom, texts = 2.0 * _PADDING, ""
    for size, line in lines:
        bottom += 1.5 * size
        weight = ' font-weight="bold"' if size == _TITLE[0] else ""
        texts += f'<text x="{2 * _PADDING}" y="{bottom:g}" font-size="{size}"{weight}>{escape(line)}</text>'
    width, height = WIDTH + 2 * _PADDING, bottom + 3 * _PADDING
    inner = f'width="{width - 2 * _PADDING}" height="{height - 2 * _PADDING:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:g}" '
        f'viewBox="0 0 {width} {height:g}" font-family="{FAMILIES}" fill="{ground.text}">'
        f'<rect width="{width}" height="{height:g}" fill="{ground.ground}"/>'
        f'<rect x="{_PADDING}" y="{_PADDING}" {inner} fill="none" stroke="{ground.line}" stroke-dasharray="6 4"/>'
        f"{texts}</svg>"
    )


def _wrap(text: str, size: int, latin: int, other: int) -> Iterator[tuple[int, str]]:
    for line in textwrap.wrap(to_xml(text[:_LONGEST]), latin if text.isascii() else other):
        yield size, line
