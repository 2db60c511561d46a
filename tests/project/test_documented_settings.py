"""The tables of docs/reference/settings.md and the code know the same variables."""

from __future__ import annotations

import re

from tests.project.sources import ROOT, find_files

PACKAGES = ("apphost", "reports_app", "reports_worker")
SETTING = re.compile(r'"(REPORTS_[A-Z_]+|ConnectionStrings__[a-z]+)"|\bread\(\s*environ,\s*"([A-Z_]+)"')


def read_code() -> str:
    files = [path for package in PACKAGES for path in find_files(package, ".py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def list_documented() -> set[str]:
    """The variables of the first column."""
    text = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    return {
        name
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }


def test_every_setting_of_the_code_stands_in_a_table() -> None:
    settings = {first or second for first, second in SETTING.findall(read_code())}

    assert {"REPORTS_PATH", "PORT", "ConnectionStrings__warehouse"} <= settings
    assert settings - list_documented() == set()


def test_every_setting_of_the_tables_is_read_by_the_code() -> None:
    code = read_code()

    assert [name for name in sorted(list_documented()) if f'"{name}"' not in code] == []
