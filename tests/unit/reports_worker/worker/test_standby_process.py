"""A standby process that waits for one message."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from harness.wait import wait_until
from reports_worker.worker import standby_process
from reports_worker.worker.standby_process import StandbyProcess


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "written"


@pytest.fixture
def standby(written: Path) -> Iterator[StandbyProcess]:
    def handle(message: bytes) -> None:
        written.with_suffix(".part").write_bytes(b"%d %s" % (os.getpid(), message))
        written.with_suffix(".part").rename(written)

    standby = StandbyProcess(lambda: None, lambda: None, handle)
    yield standby
    standby.kill()


def write(path: Path, message: bytes) -> None:
    path.write_bytes(message)


def wait_until_idle(standby: StandbyProcess) -> None:
    wait_until(lambda: psutil.Process(standby.pid).status() == psutil.STATUS_SLEEPING, what="the process")


def test_a_standby_process_handles_its_message_and_ends(standby: StandbyProcess, written: Path) -> None:
    wait_until_idle(standby)

    assert standby.send(b"x" * 100_000)

    assert os.waitpid(standby.pid, 0)[1] == 0
    assert written.read_bytes() == b"%d %s" % (standby.pid, b"x" * 100_000)


def test_a_process_that_died_takes_no_message_and_leaves_no_zombie(standby: StandbyProcess) -> None:
    wait_until_idle(standby)
    os.kill(standby.pid, signal.SIGKILL)
    wait_until(lambda: psutil.Process(standby.pid).status() == psutil.STATUS_ZOMBIE, what="its death")

    assert not standby.send(b"message")

    assert not psutil.pid_exists(standby.pid)


def test_a_process_that_hangs_before_it_is_ready_takes_no_message() -> None:
    standby = StandbyProcess(signal.pause, lambda: None, lambda _: None)

    assert not standby.send(b"message")

    assert not psutil.pid_exists(standby.pid)


def test_a_process_that_is_not_needed_is_killed(standby: StandbyProcess, written: Path) -> None:
    standby.kill()

    assert not psutil.pid_exists(standby.pid)
    assert not written.exists()


def test_a_standby_process_ends_when_its_parent_has_closed_the_socket(
    standby: StandbyProcess, written: Path
) -> None:
    standby._socket.close()

    assert os.waitpid(standby.pid, 0)[1] == 0
    assert not written.exists()


def test_a_standby_process_ends_when_its_parent_has_closed_the_socket_before_it_is_ready(
    written: Path, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"

    def wait_for_parent() -> None:
        wait_until(closed.exists, what="the closed socket")

    standby = StandbyProcess(wait_for_parent, lambda: None, lambda _: written.touch())

    standby._socket.close()
    closed.touch()

    assert os.waitpid(standby.pid, 0)[1] == 0
    assert not written.exists()


def test_an_error_in_the_handler_sets_the_exit_code() -> None:
    def fail(_: bytes) -> None:
        raise RuntimeError

    standby = StandbyProcess(lambda: None, lambda: None, fail)
    wait_until_idle(standby)

    assert standby.send(b"message")

    assert os.waitstatus_to_exitcode(os.waitpid(standby.pid, 0)[1]) == os.EX_SOFTWARE


def test_a_standby_process_warms_up_while_it_waits(written: Path) -> None:
    standby = StandbyProcess(lambda: None, written.touch, lambda _: None)

    wait_until(written.exists, what="the warm-up")
    standby.kill()


def test_a_message_that_arrives_soon_does_not_wait_for_the_warm_up(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby_process, "_IDLE_SECONDS", None)  # any time is soon
    standby = StandbyProcess(lambda: None, partial(os._exit, 1), partial(write, written))
    wait_until_idle(standby)

    assert standby.send(b"message")

    assert os.waitstatus_to_exitcode(os.waitpid(standby.pid, 0)[1]) == os.EX_OK
    assert written.read_bytes() == b"message"


def test_a_message_that_arrives_during_the_warm_up_is_handled_after_it(written: Path, tmp_path: Path) -> None:
    started, sent = tmp_path / "started", tmp_path / "sent"

    def warm_up() -> None:
        started.touch()
        wait_until(sent.exists, what="the message")

    standby = StandbyProcess(lambda: None, warm_up, partial(write, written))
    wait_until(started.exists, what="the warm-up")
    assert standby.send(b"message")
    sent.touch()

    assert os.waitstatus_to_exitcode(os.waitpid(standby.pid, 0)[1]) == os.EX_OK
    assert written.read_bytes() == b"message"
