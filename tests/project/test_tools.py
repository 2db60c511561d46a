"""What runs before a commit, in CI and on a shell is the same, and the Python versions that are named are run."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def find_tested_pythons() -> list[str]:
    return re.findall(r'\{python: "([\d.]+)"', read(".github/workflows/ci.yml"))


def test_hooks_before_a_commit_run_what_make_check_runs() -> None:
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    assert recipe
    commands = [
        line.strip().removeprefix("@").replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()
    ]

    assert re.findall(r"entry: (.*)", read(".pre-commit-config.yaml")) == commands


def test_the_workflow_runs_the_script_of_ci() -> None:
    assert "- run: bash .ci/run\n" in read(".github/workflows/ci.yml")


def test_the_named_pythons_are_those_that_ci_runs() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    named = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])

    assert named == find_tested_pythons()


def test_fresh_machines_have_the_pythons_that_ci_runs() -> None:
    assert (
        re.findall(r"^  \[\w+\]=([\d.]+)", read(".ci/fresh-machines"), re.MULTILINE) == find_tested_pythons()
    )
