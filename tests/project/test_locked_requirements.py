"""The locked requirements agree with setup.cfg, from which `make lock` makes them."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILES = {"requirements.txt": ("run",), "requirements-dev.txt": ("run", "dev")}
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)[^\n]*\\\n(?P<rest>(?:[ ]+.*\n?)+)", re.MULTILINE
)


def wanted(*parts: str) -> dict[str, Requirement]:
    """Read the direct requirements of setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    texts = {
        "run": config["options"]["install_requires"],
        "dev": config["options.extras_require"]["dev"],
    }
    lines = [line for part in parts for line in texts[part].splitlines() if line.strip()]
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def locked(file: str) -> dict[str, tuple[str, str]]:
    """Read version and annotation of each package in a lock."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return {canonicalize_name(pin["name"]): (pin["version"], pin["rest"]) for pin in _PIN.finditer(text)}


@pytest.mark.parametrize("file", FILES)
def test_each_direct_requirement_is_locked_to_a_version_it_allows(file: str) -> None:
    pins = locked(file)

    wrong = [
        f"{requirement} is locked to {pins.get(name, ('nothing',))[0]}"
        for name, requirement in wanted(*FILES[file]).items()
        if name not in pins or not requirement.specifier.contains(pins[name][0])
    ]

    assert wrong == [], "run `make lock`"


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_locked_for_a_requirement_that_is_gone(file: str) -> None:
    direct = {name for name, (_, rest) in locked(file).items() if "(setup.cfg)" in rest}

    assert direct == wanted(*FILES[file]).keys(), "run `make lock`"


@pytest.mark.parametrize("file", FILES)
def test_every_locked_package_has_hashes_and_names_no_host(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    pins = locked(file)

    assert pins
    assert [name for name, (_, rest) in pins.items() if "--hash=sha256:" not in rest] == []
    assert text.count("==") >= len(pins)
    assert "://" not in text
    assert "--index" not in text


def test_both_locks_hold_the_same_versions() -> None:
    development = locked("requirements-dev.txt")

    different = [name for name, pin in locked("requirements.txt").items() if development[name][0] != pin[0]]

    assert different == []
