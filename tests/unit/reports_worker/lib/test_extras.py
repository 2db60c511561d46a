"""The command that installs an extra."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reports_worker.lib.extras import write_install_command


@pytest.mark.wide
def test_in_a_checkout_the_command_installs_the_extra_from_there() -> None:
    # As the message says it, but nothing is installed.
    command = [
        *shlex.split(write_install_command("worker")),
        "--dry-run",
        "--no-index",
        "--no-build-isolation",
    ]

    done = subprocess.run(
        command, env=os.environ | {"PIP_NO_INPUT": "1"}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_the_checkout_of_this_package_is_found() -> None:
    package = shlex.split(write_install_command("s3"))[-1]

    assert Path(package.removesuffix("[s3]"), "reports_worker", "lib", "extras.py").is_file()


def test_elsewhere_the_command_installs_the_extra_by_the_name_of_the_package(tmp_path: Path) -> None:
    command = shlex.split(write_install_command("postgres", root=tmp_path))

    assert command == [sys.executable, "-m", "pip", "install", "background-reports[postgres]"]


def test_a_folder_with_a_space_stays_one_argument(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "setup.cfg").touch()

    assert shlex.split(write_install_command("s3", root=tmp_path / "a b"))[-1] == f"{tmp_path}/a b[s3]"
