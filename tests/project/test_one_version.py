"""The version stands in one place; all that names a version agrees with it."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

from reports_app.contract.openapi.document import describe_api
from reports_worker import TYPES, __version__

ROOT = Path(__file__).parents[2]
_SECTION = re.compile(r"^## \[(?P<name>[^\]]+)\](?P<date> - \d{4}-\d\d-\d\d)?$", re.MULTILINE)


def test_openapi_has_the_version_of_the_package() -> None:
    document = describe_api(TYPES, root="", has_callbacks=False)

    assert document["info"]["version"] == __version__


def test_the_command_prints_the_version_of_the_package() -> None:
    command = [sys.executable, "-m", "reports_worker", "--version"]

    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout

    assert printed == f"background-reports {__version__}\n"


def test_the_wheel_takes_the_version_of_the_package() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")

    assert config["metadata"]["version"] == "attr: reports_worker.__version__"


def test_the_newest_section_of_the_changelog_has_the_version_and_a_day() -> None:
    sections = list(_SECTION.finditer((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))

    assert [sections[0]["name"], sections[0]["date"]] == ["Unreleased", None]
    assert sections[1]["name"] == __version__
    assert sections[1]["date"]
