"""`python -m faults`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faults.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--at-once", "0"], "is not a whole number of at least 1"),
        (["--only", "meteorite"], "invalid choice: 'meteorite'"),
        (["soak", "--all"], "a soak has none to choose from"),
        (["--reports", "10"], "belong to the soak"),
    ],
)
def test_what_cannot_be_run_is_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)

    assert ending.value.code == 2
    assert sentence in capsys.readouterr().err


def test_without_leave_to_mount_nothing_starts_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mount = tmp_path / "mount"
    mount.write_text("#!/bin/sh\necho 'permission denied' >&2\nexit 32\n", encoding="ascii")
    mount.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    status = main(["--only", "disk-full"])

    output = capsys.readouterr()
    assert status == 2
    assert output.out == ""
    assert "mount was refused (permission denied)" in output.err
