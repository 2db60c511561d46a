"""Calls of the kernel about the processes of this product."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
# A killed process ends within milliseconds, unless it waits for a disk or a network file system.
END_CHILDREN_SECONDS = 1.0
_LOOK_EVERY_SECONDS = 0.001


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent dies; exit at once if the parent is already dead.

    Linux only. The signal comes when the parent's forking *thread* ends: fork on the main one (prctl(2)).
    """
    if _LIBC is None:
        return
    if _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of each descendant whose own parent ends, instead of init. Linux only."""
    if _LIBC is not None and _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def wait_for_end(pid: int) -> int:
    """Wait until a child has ended; return its wait status.

    On Linux the child stays a zombie, so that no other process can get its pid or its group.
    """
    if sys.platform != "linux":
        return os.waitpid(pid, 0)[1]
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert found is not None  # noqa: S101 - for the type checker: None comes with WNOHANG alone
    return found.si_status << 8 if found.si_code == os.CLD_EXITED else found.si_status


def end_group(leader: int) -> None:
    """Kill a process and its process group."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(leader, signal.SIGKILL)


def find_children() -> frozenset[int]:
    """Find the children that the main thread of this process has forked or adopted, zombies too.

    Children of other threads are not included. Empty if the kernel does not list children.
    """
    try:
        return frozenset(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_bytes().split()))
    except OSError:
        return frozenset()


def end_children(*, keep: Collection[int], seconds: float = END_CHILDREN_SECONDS) -> None:
    """Kill and reap all children that `find_children` finds, except `keep`.

    The children of a process that is killed here come to this one: so a whole tree ends, level by level.
    """
    deadline = time.monotonic() + seconds
    while doomed := [pid for pid in find_children() if pid not in keep and _end(pid)]:
        if time.monotonic() >= deadline:
            log.warning("processes that a report has started do not end: %s", doomed)
            return
        time.sleep(_LOOK_EVERY_SECONDS)


def _end(pid: int) -> bool:
    """Kill a child, and reap it if it has ended; False if it may not be killed, as a child of another user."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    except PermissionError:
        return False
    return True
