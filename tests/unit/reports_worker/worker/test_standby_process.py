"""A standby process that waits for one message."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.wait import wait_until
from reports_worker.worker.standby_process import StandbyProcess


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "written"


@pytest.fixture
def standby(written: Path) -> Iterator[StandbyProcess]:
    def handle(message: bytes) -> None:
        written.with_suffix(".part").write_bytes(b"%d %s" % (os.getpid(), message))
        written.with_suffix(".part").rename(written)

    standby = StandbyProcess(lambda: None, [], handle)
    yield standby
    standby.kill()


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
    standby = StandbyProcess(signal.pause, [], lambda _: None)

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

    standby = StandbyProcess(wait_for_parent, [], lambda _: written.touch())

    standby._socket.close()
    closed.touch()

    assert os.waitpid(standby.pid, 0)[1] == 0
    assert not written.exists()


def test_an_error_in_the_handler_sets_the_exit_code() -> None:
    def fail(_: bytes) -> None:
        raise RuntimeError

    standby = StandbyProcess(lambda: None, [], fail)
    wait_until_idle(standby)

    assert standby.send(b"message")

    assert os.waitstatus_to_exitcode(os.waitpid(standby.pid, 0)[1]) == os.EX_SOFTWARE


def test_a_standby_process_warms_up_while_it_waits(written: Path) -> None:
    standby = StandbyProcess(lambda: None, [written.touch], lambda _: None)

    wait_until(written.exists, what="the warm-up")
    standby.kill()


def test_no_warm_up_step_begins_once_the_message_has_arrived(tmp_path: Path) -> None:
    first, sent, second, handled = (tmp_path / name for name in ("first", "sent", "second", "handled"))

    def warm_up() -> None:
        first.touch()
        wait_until(sent.exists, what="the message")

    def handle(message: bytes) -> None:
        handled.write_bytes(message)

    standby = StandbyProcess(lambda: None, [warm_up, second.touch], handle)
    wait_until(first.exists, what="the first step")
    assert standby.send(b"message")
    sent.touch()

    assert os.waitstatus_to_exitcode(os.waitpid(standby.pid, 0)[1]) == os.EX_OK
    assert handled.read_bytes() == b"message"
    assert not second.exists()
