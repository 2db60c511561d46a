"""Children of this process, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from harness.wait import wait_until
from harness.worker_process import is_gone
from reports_worker.lib.process import end_children, end_group, find_children, wait_for_end

SLEEP = ["sleep", "1000"]


@pytest.mark.parametrize("status", [0, 3 << 8, signal.SIGSEGV])
def test_the_status_of_a_child_is_told_while_its_pid_is_still_its_own(status: int) -> None:
    child = os.fork()
    if child == 0:
        if os.WIFSIGNALED(status):
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
            os.kill(os.getpid(), os.WTERMSIG(status))
        os._exit(os.WEXITSTATUS(status))

    # Asked twice, as after an alarm.
    assert [wait_for_end(child) & ~0x80, wait_for_end(child) & ~0x80] == [status, status]
    assert psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    os.waitpid(child, 0)


def test_a_group_ends_with_members_whose_leader_is_dead() -> None:
    leader = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!"], stdout=subprocess.PIPE, process_group=0)
    assert leader.stdout is not None
    with leader.stdout as stream:
        member = psutil.Process(int(stream.readline()))
    wait_for_end(leader.pid)

    end_group(leader.pid)

    wait_until(lambda: is_gone(member), what="the member's end")
    leader.wait()


def test_children_end_but_those_that_are_kept_and_those_of_other_threads() -> None:
    before = find_children()
    started = threading.Event()
    ended = threading.Event()

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(SLEEP)
        started.set()
        ended.wait()
        return process

    with ThreadPoolExecutor(1) as pool:
        of_thread = pool.submit(start)
        started.wait()
        kept, doomed = subprocess.Popen(SLEEP), subprocess.Popen(SLEEP)
        try:
            assert find_children() == before | {kept.pid, doomed.pid}

            end_children(keep=before | {kept.pid})

            assert find_children() == before | {kept.pid}
            assert not psutil.pid_exists(doomed.pid)
            assert kept.poll() is None
        finally:
            ended.set()
            process = of_thread.result()
            survived = process.poll() is None
            for child in (kept, doomed, process):
                child.kill()
                child.wait()
    assert survived
