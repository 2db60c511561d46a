"""The locked requirements agree with setup.cfg, from which `make lock` makes them."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

from tools.lock import is_for_development, keep_hashes

ROOT = Path(__file__).parents[2]
FILES = {"requirements.txt": ("run", "apphost", "postgres"), "requirements-dev.txt": ("run", "dev")}
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)[^\n]*\\\n(?P<rest>(?:[ ]+.*\n?)+)", re.MULTILINE
)


def wanted(*parts: str) -> dict[str, Requirement]:
    """Read the direct requirements of setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    texts = {
        "run": config["options"]["install_requires"],
        **config["options.extras_require"],
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


def test_the_locks_for_development_have_few_hashes() -> None:
    """Wheels of platforms that nothing here runs on are two thirds of a lock."""
    for file in ("requirements-dev.txt", "requirements-spark.txt"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert text.count("--hash=") <= 6 * len(locked(file)), "run `make lock`"


@pytest.mark.parametrize(
    ("tag", "is_kept"),
    [
        ("py3-none-any", True),
        ("cp311-cp311-manylinux_2_17_x86_64", True),
        ("cp313-cp313-macosx_11_0_arm64", True),
        ("cp38-abi3-manylinux_2_28_aarch64", True),
        ("py3-none-manylinux2014_x86_64", True),
        ("cp310-cp310-manylinux_2_17_x86_64", False),
        ("cp313-cp313t-manylinux_2_17_x86_64", False),
        ("cp314-abi3-manylinux_2_17_x86_64", False),
        ("cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-win_amd64", False),
        ("cp311-cp311-manylinux_2_17_s390x", False),
    ],
)
def test_wheels_of_the_pythons_and_platforms_of_development_are_kept(tag: str, *, is_kept: bool) -> None:
    assert is_for_development(next(iter(parse_tag(tag)))) is is_kept


def test_other_hashes_leave_a_lock_and_all_else_stays() -> None:
    text = f"a==1 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n    # via b\n"

    assert keep_hashes(text, {"a" * 64}) == f"a==1 \\\n    --hash=sha256:{'a' * 64}\n    # via b\n"
    assert keep_hashes(text, {"b" * 64}) == f"a==1 \\\n    --hash=sha256:{'b' * 64}\n    # via b\n"


def test_both_locks_hold_the_same_versions() -> None:
    development = locked("requirements-dev.txt")

    different = [name for name, pin in locked("requirements.txt").items() if development[name][0] != pin[0]]

    assert different == []
