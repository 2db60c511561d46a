"""Kills the processes that remain when the apphost dies: `_watchdog.py` reads lines of process groups.

The kernel kills the apphost's children, but not their children: a gunicorn worker would stay until the end of its
current request. The last line contains the running groups; the end of input is the end of the apphost. On macOS,
whose kernel has no such signal for children, the watchdog also kills the children.
"""

import os
import signal
import sys


def main() -> None:
    groups: list[int] = []
    for line in sys.stdin:
        groups = [int(group) for group in line.split()]
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # All processes of the group have ended.
            continue


main()
