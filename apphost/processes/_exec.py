"""Executes a program that the kernel kills when the apphost dies: `_exec.py PARENT_PID COMMAND...`

The apphost runs this wrapper with `python -I -S`, which skips the environment and site-packages.
A wrapper is necessary: Python code between fork and exec is not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the apphost has ended")
    try:
        os.execvp(command[0], command)  # noqa: S606 - the purpose of this wrapper
    except OSError as error:
        has_file = isinstance(error, FileNotFoundError) and os.path.exists(command[0])  # noqa: PTH110 - as above
        reason = "the interpreter that its first line names is not there" if has_file else error.strerror
        sys.exit(f"cannot run {command[0]}: {reason}")


main()
