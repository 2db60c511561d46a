"""Ends what the apphost leaves behind when it dies: `_watchdog.py` reads lines of process groups.

The kernel kills the apphost's own children with it, but not theirs: a gunicorn worker in the middle of a
request would stay until that ends. The last line read names the groups that run; the end of input is the
end of the apphost. Where a kernel has no such signal for children (macOS), this is what ends them.
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
            # All of it has ended already.
            continue


main()
