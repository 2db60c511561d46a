"""A prefix of the keys that RQ refuses, when RQ is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SENTENCE = (
    "RQ_KEY_PREFIX={!r} is not valid: it must be one or more of the letters A to Z and a to z, digits "
    "and _ . : - {{ }}, or not be set.\n"
)


def run(prefix: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "RQ_KEY_PREFIX": prefix},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("prefix", ["a b", ""])
@pytest.mark.parametrize(
    "arguments",
    [["-m", "reports_worker", "list"], ["-m", "reports_worker"], ["-m", "reports_app"]],
    ids=" ".join,
)
def test_a_program_ends_with_one_sentence(prefix: str, arguments: list[str]) -> None:
    ended = run(prefix, *arguments)

    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", SENTENCE.format(prefix))


def test_another_program_can_catch_the_error() -> None:
    program = "try:\n    import reports_worker\nexcept Exception as error:\n    print(type(error).__name__, error)\n"

    ended = run("a b", "-c", program)

    assert (ended.returncode, ended.stdout) == (0, "SettingsError " + SENTENCE.format("a b"))


def test_a_valid_prefix_begins_every_key() -> None:
    ended = run("{tenant:1}", "-c", "from reports_worker.broker import keys\nprint(keys.REGISTRY)")

    assert ended.stdout == "{tenant:1}:reports\n"
