"""`python -m tools.lock`: lock the requirements of setup.cfg, with hashes.

The locks for development hold the hashes of source archives and of wheels for `PYTHONS` on `PLATFORMS` alone: all
others are two thirds of such a file. The lock of the product holds all hashes.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[1]
PYTHONS = ("cp311", "cp312", "cp313")
PLATFORMS = re.compile(r"any|manylinux.*_(x86_64|aarch64)|macosx_.*_(arm64|universal2)")

_OLDEST = PYTHONS[0].replace("cp3", "3.")
_HASH = re.compile(r"[ \\\n]*--hash=sha256:([0-9a-f]{64})")
_OPTIONS = ("--quiet", "--universal", "--python-version", _OLDEST, "--generate-hashes",
            "--no-header", "--no-emit-index-url", "--no-emit-find-links")  # fmt: skip


@dataclass(frozen=True)
class Lock:
    """A file of locked requirements: the extras that it holds, and the lock whose versions it takes."""

    file: str
    extras: Sequence[str]
    base: str | None = None
    has_all_platforms: bool = False


LOCKS = (
    Lock("requirements.txt", ("apphost", "worker", "postgres"), has_all_platforms=True),
    Lock("requirements-dev.txt", ("dev",), base="requirements.txt"),
    Lock("requirements-spark.txt", ("spark-dev",), base="requirements-dev.txt"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the locked versions that setup.cfg allows")
    options = parser.parse_args(arguments)
    for lock in LOCKS:
        _compile(lock, *(() if options.keep else ("--upgrade",)))
        if not lock.has_all_platforms:
            _drop_other_platforms(lock)
    return 0


def is_for_development(tag: Tag) -> bool:
    """Decide whether a wheel of this tag is for one of the `PYTHONS` and `PLATFORMS`."""
    python, abi = tag.interpreter, tag.abi
    fits = {
        "none": python.startswith("py3") or python in PYTHONS,
        "abi3": _is_stable_for_all(python),
        python: python in PYTHONS,
    }
    return fits.get(abi, False) and PLATFORMS.fullmatch(tag.platform) is not None


def keep_hashes(text: str, kept: set[str]) -> str:
    """Leave out all hashes of a lock but these."""
    return _HASH.sub(lambda match: match[0] if match[1] in kept else "", text)


def _is_stable_for_all(python: str) -> bool:
    return re.fullmatch(r"cp3\d+", python) is not None and int(python[3:]) <= int(PYTHONS[-1][3:])


def _compile(lock: Lock, *options: str, output: Path | None = None) -> None:
    extras = [option for extra in lock.extras for option in ("--extra", extra)]
    base = ["--constraint", lock.base] if lock.base else []
    uv = str(Path(sys.executable).parent / "uv")
    command = [uv, "pip", "compile", "setup.cfg", *_OPTIONS, *extras, *base, *options]
    subprocess.run([*command, "--output-file", str(output or lock.file)], cwd=ROOT, check=True)


def _drop_other_platforms(lock: Lock) -> None:
    path = ROOT / lock.file
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "pylock.toml"
        _compile(lock, "--format", "pylock.toml", "--constraint", lock.file, output=files)
        packages = tomllib.loads(files.read_text(encoding="utf-8"))["packages"]
    kept = {digest for package in packages for digest in _find_hashes(package)}
    path.write_text(keep_hashes(path.read_text(encoding="utf-8"), kept), encoding="utf-8")


def _find_hashes(package: dict[str, Any]) -> Iterable[str]:
    if "sdist" in package:
        yield package["sdist"]["hashes"]["sha256"]
    for wheel in package.get("wheels", ()):
        tags = parse_wheel_filename(wheel.get("name") or wheel["url"].rpartition("/")[2])[3]
        if any(map(is_for_development, tags)):
            yield wheel["hashes"]["sha256"]


if __name__ == "__main__":
    sys.exit(main())
