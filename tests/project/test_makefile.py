"""The Makefile makes an environment again that cannot work, and leaves one alone that can."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.needed_tools import need_program

ROOT = Path(__file__).parents[2]
# Makes environments as `python -m venv` does, and notes each installation.
PYTHON = """#!/bin/sh
here="$(dirname "$0")/.."
case "$1 $2" in
    "-c import pip") exec test -e "$here/pip" ;;
    "-m venv")
        mkdir -p "$3/bin"
        cp "$0" "$3/bin/python"
        echo "command = $0 -m venv $(pwd -P)/$3" >"$3/pyvenv.cfg"
        [ -z "$NO_ENSUREPIP" ] || exit 1
        touch "$3/pip" ;;
    "-m pip") echo x >>"$here/installations" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a folder with the Makefile and an empty list of requirements."""
    need_program("make", package="make")
    folder = tmp_path / "my checkout (1)"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.txt").touch()
    python = tmp_path / "python"
    python.write_text(PYTHON, encoding="utf-8")
    python.chmod(0o755)
    return folder


def install(checkout: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = ["make", ".venv/installed", f"PYTHON={checkout.parent}/python"]
    return subprocess.run(
        command, cwd=checkout, env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def count_installations(checkout: Path) -> int:
    return len((checkout / ".venv" / "installations").read_text(encoding="utf-8").splitlines())


def test_an_environment_that_works_is_left_alone(checkout: Path) -> None:
    assert install(checkout).returncode == 0

    again = install(checkout)

    assert (again.returncode, again.stderr) == (0, "")
    assert count_installations(checkout) == 1


def test_an_environment_whose_making_failed_is_not_kept(checkout: Path) -> None:
    failed = install(checkout, NO_ENSUREPIP="1")

    assert failed.returncode != 0
    assert not (checkout / ".venv").exists()
    assert install(checkout).returncode == 0


@pytest.mark.parametrize("lost", ["pip", "bin/python"])
def test_an_environment_whose_python_is_gone_or_another_is_made_again(checkout: Path, lost: str) -> None:
    install(checkout)
    (checkout / ".venv" / lost).unlink()

    healed = install(checkout)

    assert healed.returncode == 0
    assert healed.stderr == "Removing .venv: it has no Python with pip\n"
    assert count_installations(checkout) == 1


def test_an_environment_that_was_moved_with_its_checkout_is_made_again(checkout: Path) -> None:
    install(checkout)
    moved = checkout.rename(checkout.parent / "moved")

    healed = install(moved)

    assert healed.returncode == 0
    assert healed.stderr == "Removing .venv: it was made for another folder\n"


def test_a_link_to_another_environment_is_left_alone(checkout: Path) -> None:
    install(checkout)
    shared = (checkout / ".venv").rename(checkout.parent / "shared")
    (checkout / ".venv").symlink_to(shared)

    linked = install(checkout)

    assert (linked.returncode, linked.stderr) == (0, "")
    assert (checkout / ".venv").is_symlink()
