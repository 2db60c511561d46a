"""The file outside Redis in which attempts record themselves."""

from __future__ import annotations

import os
from pathlib import Path

from faults.attempts.attempt_file import AttemptFile, Event, read_lines


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = AttemptFile(tmp_path / "attempts")
    file.write(Event.BEGIN, task_id="a", attempt="1")
    file.write(Event.STRUCK, pids=[3, 4])
    file.close()

    begin, struck = read_lines(tmp_path / "attempts")

    assert (begin.event, begin.task_id, begin.attempt, begin.pid) == (Event.BEGIN, "a", "1", os.getpid())
    assert (struck.event, list(struck.pids)) == (Event.STRUCK, [3, 4])
    assert begin.at <= struck.at


def test_lines_of_many_writers_are_all_there(tmp_path: Path) -> None:
    writers = [AttemptFile(tmp_path / "attempts") for _ in range(3)]
    for _ in range(10):
        for number, writer in enumerate(writers):
            writer.write(Event.ALIVE, task_id=str(number))

    found = [line.task_id for line in read_lines(tmp_path / "attempts")]

    assert sorted(found) == sorted("012" * 10)
    for writer in writers:
        writer.close()
