"""The tests hold on any machine: the shell's settings change nothing, and what a machine lacks is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults.page.revision import read_commit
from tests.needed_tools import need_program, small_disk
from tests.own_environment import find_settings

ROOT = Path(__file__).parents[2]


def test_no_setting_of_the_shell_reaches_a_test() -> None:
    assert find_settings(os.environ) == []


def test_settings_of_the_shell_are_dropped_before_the_first_test() -> None:
    name = "test_no_setting_of_the_shell_reaches_a_test"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{name}"]
    environ = {**os.environ, "PORT": "8312", "REPORTS_OPEN": "yes", "ConnectionStrings__broker": "nowhere:1"}

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_a_test_that_needs_an_absent_program_is_skipped_with_the_package() -> None:
    with pytest.raises(pytest.skip.Exception, match="no-such is not installed: apt install such"):
        need_program("no-such", package="such")


def test_a_test_that_needs_a_mount_is_skipped_where_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mount").write_text("#!/bin/sh\necho 'must be superuser' >&2\nexit 32\n", encoding="ascii")
    (tmp_path / "mount").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(pytest.skip.Exception, match="must be superuser"), small_disk(tmp_path / "disk"):
        pytest.fail("it was mounted")


def test_without_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert read_commit() == "unknown"
