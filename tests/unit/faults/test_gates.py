"""Gates, at which a worker stops for the suite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.attempts.attempt_file import AttemptFile, Event, read_lines
from faults.attempts.gates import Gates, pass_gate
from faults.attempts.steps import Step
from harness.wait import wait_until


@pytest.fixture
def attempts(tmp_path: Path) -> Iterator[AttemptFile]:
    file = AttemptFile(tmp_path / "attempts")
    yield file
    file.close()


def come(gates: Gates, attempts: AttemptFile, task_id: str) -> threading.Thread:
    thread = threading.Thread(
        target=pass_gate,
        args=[gates.folder, Step.MIDDLE, attempts],
        kwargs={"task_id": task_id, "attempt": "1"},
        daemon=True,
    )
    thread.start()
    return thread


def find_held(attempts: AttemptFile) -> list[str]:
    return [line.task_id for line in read_lines(attempts.path) if line.event is Event.HELD]


def test_the_first_who_comes_is_held_until_the_gates_open(tmp_path: Path, attempts: AttemptFile) -> None:
    gates = Gates(tmp_path / "gates")
    gates.arm(Step.MIDDLE)

    first = come(gates, attempts, "a")
    wait_until(lambda: find_held(attempts) == ["a"], what="a report that is held")
    second = come(gates, attempts, "b")
    second.join(10)

    assert not second.is_alive()
    assert first.is_alive()
    gates.open()
    first.join(10)
    assert not first.is_alive()
    assert find_held(attempts) == ["a"]


def test_a_gate_that_is_not_armed_holds_nobody(tmp_path: Path, attempts: AttemptFile) -> None:
    gates = Gates(tmp_path / "gates")
    gates.arm(Step.PUBLISH)

    come(gates, attempts, "a").join(10)

    assert find_held(attempts) == []
