"""The secret that is generated and stored if none is set."""

from __future__ import annotations

from pathlib import Path

from reports_app.server.secret_key import keep_secret_key, state_folder


def test_the_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"

    first, second = keep_secret_key(folder), keep_secret_key(folder)

    path = folder / "secret-key"
    assert first == second == path.read_text()
    assert len(first) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_two_places_have_two_secrets(tmp_path: Path) -> None:
    assert keep_secret_key(tmp_path / "a") != keep_secret_key(tmp_path / "b")


def test_a_file_that_was_left_empty_gets_a_secret_and_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    path.touch(mode=0o600)

    secret = keep_secret_key(tmp_path)

    assert len(secret) >= 32
    assert keep_secret_key(tmp_path) == secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_secret_lies_where_programs_keep_state(tmp_path: Path) -> None:
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "background-reports"
    assert state_folder({}) == Path.home() / ".local" / "state" / "background-reports"
    assert state_folder({"XDG_STATE_HOME": ""}) == state_folder({})
