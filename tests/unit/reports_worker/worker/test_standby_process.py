"""A process that waits for its order."""

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
    def follow(order: bytes) -> None:
        written.with_suffix(".part").write_bytes(b"%d %s" % (os.getpid(), order))
        written.with_suffix(".part").rename(written)

    standby = StandbyProcess(lambda: None, [], follow)
    yield standby
    standby.dismiss()


def wait_until_idle(standby: StandbyProcess) -> None:
    wait_until(lambda: psutil.Process(standby.pid).status() == psutil.STATUS_SLEEPING, what="the process")


def test_it_follows_the_order_that_it_is_given_and_ends(standby: StandbyProcess, written: Path) -> None:
    wait_until_idle(standby)

    assert standby.give(b"x" * 100_000)

    assert os.waitpid(standby.pid, 0)[1] == 0
    assert written.read_bytes() == b"%d %s" % (standby.pid, b"x" * 100_000)


def test_one_that_died_takes_no_order_and_leaves_no_zombie(standby: StandbyProcess) -> None:
    wait_until_idle(standby)
    os.kill(standby.pid, signal.SIGKILL)
    wait_until(lambda: psutil.Process(standby.pid).status() == psutil.STATUS_ZOMBIE, what="its death")

    assert not standby.give(b"order")

    assert not psutil.pid_exists(standby.pid)


def test_one_that_hangs_before_it_is_ready_takes_no_order() -> None:
    standby = StandbyProcess(signal.pause, [], lambda _: None)

    assert not standby.give(b"order")

    assert not psutil.pid_exists(standby.pid)


def test_one_that_is_not_needed_ends(standby: StandbyProcess, written: Path) -> None:
    standby.dismiss()

    assert not psutil.pid_exists(standby.pid)
    assert not written.exists()


def test_it_ends_when_nobody_is_left_to_order(standby: StandbyProcess, written: Path) -> None:
    standby._socket.close()

    assert os.waitpid(standby.pid, 0)[1] == 0
    assert not written.exists()


def test_an_order_that_fails_is_told_by_the_exit_code() -> None:
    def fail(_: bytes) -> None:
        raise RuntimeError

    standby = StandbyProcess(lambda: None, [], fail)
    wait_until_idle(standby)

    assert standby.give(b"order")

    assert os.waitstatus_to_exitcode(os.waitpid(standby.pid, 0)[1]) == os.EX_SOFTWARE


def test_it_prepares_itself_while_it_waits(written: Path) -> None:
    standby = StandbyProcess(lambda: None, [written.touch], lambda _: None)

    wait_until(written.exists, what="the preparation")
    standby.dismiss()


def test_no_step_is_begun_once_its_order_is_there(tmp_path: Path) -> None:
    first, ordered, second, followed = (
        tmp_path / name for name in ("first", "ordered", "second", "followed")
    )

    def prepare() -> None:
        first.touch()
        wait_until(ordered.exists, what="the order")

    def follow(order: bytes) -> None:
        followed.write_bytes(order)

    standby = StandbyProcess(lambda: None, [prepare, second.touch], follow)
    wait_until(first.exists, what="the first step")
    assert standby.give(b"order")
    ordered.touch()

    assert os.waitstatus_to_exitcode(os.waitpid(standby.pid, 0)[1]) == os.EX_OK
    assert followed.read_bytes() == b"order"
    assert not second.exists()
