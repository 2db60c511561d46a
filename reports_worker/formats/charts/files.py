"""Charts as files: SVG for a light and a dark background, and PNG."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from time import monotonic

from reports_worker.formats.document import Advance, Document, WrittenFile
from reports_worker.lib.atomic_file import atomic_write

from .pictures import Look, Picture

SVG, PNG = "image/svg+xml", "image/png"
# The looks of a chart in each format.
LOOKS = {"svg": (Look.LIGHT, Look.DARK), "png": (Look.PNG,), "pdf": (Look.LIGHT,)}


def write_svg(document: Document, folder: Path, _advance: Advance) -> Iterator[WrittenFile]:
    """Write two files for each chart: for a light and a dark background."""
    for picture in document.charts:
        yield _write(picture, Look.LIGHT, folder / f"chart-{picture.name}.svg", "svg", SVG)
        yield _write(picture, Look.DARK, folder / f"chart-{picture.name}-dark.svg", "svg", SVG)


def write_png(document: Document, folder: Path, _advance: Advance) -> Iterator[WrittenFile]:
    """Write one file for each chart, with two pixels for each unit of width and height."""
    for picture in document.charts:
        yield _write(picture, Look.PNG, folder / f"chart-{picture.name}.png", "png", PNG)


def draw_apart(document: Document, formats: Collection[str]) -> None:
    """Draw each chart for these formats in a separate process, which the renderer may crash."""
    looks = dict.fromkeys(look for name in formats for look in LOOKS.get(name, ()))
    for picture in document.charts if looks else ():
        picture.draw_apart(looks)


def _write(picture: Picture, look: Look, path: Path, format_: str, media_type: str) -> WrittenFile:
    begin = monotonic()
    drawn = picture.draw(look)
    with atomic_write(path) as aside:
        aside.write_bytes(drawn.data)
    return WrittenFile(
        format_,
        media_type,
        monotonic() - begin,
        path=path,
        chart=picture.name,
        rows_written=0 if drawn.failure else len(picture.rows),
        rows_expected=picture.expected,
        cut=picture.find_cut(drawn.failure),
    )
