"""The files of the apphost are private and complete."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from apphost.broker.configuration import write_configuration
from apphost.errors import AlreadyRunningError, ApphostError
from apphost.processes import private_files as files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = files.keep_secret(tmp_path / "token")

    assert files.keep_secret(tmp_path / "token") == first
    assert len(first) == 32
    assert first.isalnum()
    assert mode(tmp_path / "token") == 0o600


def test_a_secret_that_a_full_disk_left_empty_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("", encoding="utf-8")

    assert files.keep_secret(tmp_path / "token")


def test_a_secret_that_others_may_read_is_closed_again(tmp_path: Path) -> None:
    files.keep_secret(tmp_path / "token")
    (tmp_path / "token").chmod(0o644)

    files.keep_secret(tmp_path / "token")

    assert mode(tmp_path / "token") == 0o600


def test_a_file_is_replaced_atomically_and_no_temporary_file_stays(tmp_path: Path) -> None:
    files.write_private(tmp_path / "a", "one")
    files.write_private(tmp_path / "a", "two")

    assert (tmp_path / "a").read_text(encoding="utf-8") == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_belongs_to_one_apphost(tmp_path: Path) -> None:
    assert not files.is_locked(tmp_path)
    with files.lock(tmp_path):
        assert files.is_locked(tmp_path)
        with pytest.raises(
            AlreadyRunningError, match=r"already runs in .+ \(pid \d+\)\. Stop it, or set APPHOST_DIR"
        ):
            files.lock(tmp_path)

    assert not files.is_locked(tmp_path)
    files.lock(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ApphostError, match="Set APPHOST_DIR"):
        files.open_folder(tmp_path / "file" / "folder")


def test_the_brokers_configuration_is_private_and_never_evicts(tmp_path: Path) -> None:
    path = write_configuration(tmp_path, port=7000, password="geheim")

    lines = path.read_text(encoding="utf-8").splitlines()

    assert mode(path) == 0o600
    assert {"port 7000", "requirepass geheim", "appendonly yes", "maxmemory-policy noeviction"} <= set(lines)
    assert lines[0].startswith("bind 127.0.0.1")
