"""The renderer: Vega and resvg, without network, files or fonts of the machine.

The renderer runs in this process, which is fastest, or in a separate process, whose crash does not fail the report.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import vl_convert

from reports_worker.content.report import Chart
from reports_worker.formats.errors import ChartError
from reports_worker.lib.process import die_with_parent
from reports_worker.lib.valid_text import to_xml

from .stand_ins import restore
from .vega_spec import Spec, write_spec

log = logging.getLogger(__name__)

FONTS = Path(__file__).parents[1] / "fonts"
PNG_SCALE = 2
# 5,000 bars with text labels take 20 s for each background.
LONGEST_SECONDS = 300
_VEGA_LITE = "6.4"
_LONGEST_REASON = 300
# In messages of JavaScript, the reason follows the name of the error.
_REASON = re.compile(r"\w*Error: (.+)")

Drawn = TypeVar("Drawn")


def start_engine() -> None:
    """Start the renderer in advance: the start takes most of a second, once in a process."""
    draw_svg(write_spec(Chart("first", "First", {}, [], []), []))


def draw_svg(spec: Spec) -> str:
    """Draw in this process; raise ChartError."""
    _register_fonts()
    picture = _run(lambda: vl_convert.vegalite_to_svg(spec.text, vl_version=_VEGA_LITE, allowed_base_urls=[]))
    return restore(to_xml(picture), spec.shown)


def draw_png(svg: str) -> bytes:
    """Draw an SVG in this process, with twice as many pixels as it is wide and high; raise ChartError."""
    _register_fonts()
    return _run(lambda: vl_convert.svg_to_png(svg, scale=PNG_SCALE))


def draw_apart(specs: Sequence[Spec], *, has_png: bool) -> list[bytes]:
    """Draw one chart in a separate process, which the renderer may crash; raise ChartError.

    Returns an SVG for each specification, and a PNG of the first if that is wanted. To be called on the main
    thread.
    """
    command = [sys.executable, "-m", __name__, str(os.getpid())]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        ended = subprocess.run(
            command,
            env=environ,
            input=json.dumps([specs, has_png]).encode(),
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ChartError(f"it took longer than {LONGEST_SECONDS} s") from error
    if ended.returncode != os.EX_OK:
        log.warning(
            "the renderer died, with %s: %s", ended.returncode, ended.stderr[-2000:].decode(errors="replace")
        )
        raise ChartError(f"the renderer crashed on it ({_name_end(ended.returncode)})")
    answer = json.loads(ended.stdout)
    if "reason" in answer:
        raise ChartError(answer["reason"])
    return [base64.b64decode(picture) for picture in answer["pictures"]]


def _name_end(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _run(work: Callable[[], Drawn]) -> Drawn:
    try:
        return work()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        log.warning("the renderer failed: %.2000s", error)
        raise ChartError(_find_reason(str(error))) from error


def _find_reason(text: str) -> str:
    """Find the line with the reason, among the lines of a stack trace."""
    lines = [line.strip() for line in text.partition("Stack backtrace")[0].splitlines()]
    found = next(filter(None, map(_REASON.match, lines)), None)
    return (found[1] if found else next(filter(None, lines), "the renderer failed"))[:_LONGEST_REASON]


@cache
def _register_fonts() -> None:
    vl_convert.register_font_directory(str(FONTS))


def _answer(given: str) -> str:
    specs, has_png = json.loads(given)
    try:
        pictures = [draw_svg(Spec(*spec)) for spec in specs]
        found = [picture.encode() for picture in pictures] + ([draw_png(pictures[0])] if has_png else [])
    except ChartError as error:
        return json.dumps({"reason": str(error)})
    return json.dumps({"pictures": [base64.b64encode(picture).decode() for picture in found]})


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    sys.stdout.write(_answer(sys.stdin.read()))
