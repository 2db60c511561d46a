"""The step between the apphost and a program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apphost.processes import private_files

SCRIPT = Path(private_files.__file__).with_name("_exec.py")


@pytest.mark.parametrize(
    ("first_line", "reason"),
    [
        ("#!/no/such/folder/python", "the interpreter that its first line names is not there"),
        (None, "No such file or directory"),
    ],
)
def test_what_cannot_be_run_is_reported_with_what_is_missing(
    first_line: str | None, reason: str, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    if first_line:
        program.write_text(f"{first_line}\n", encoding="ascii")
        program.chmod(0o755)

    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(os.getpid()), str(program)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (1, f"cannot run {program}: {reason}\n")
