"""Types of report that start processes of many kinds, wait for none of them, and end in many ways."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.integration.sample_types import write_python

# How many processes each of these types has started when it comes to its end.
COUNT = 7

_HELPER = '''\
"""Starts processes of every kind; each leaves a file that is named after its pid."""

import multiprocessing
import os
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
KEPT = []


def start_all(task_id):
    folder = HERE / "started" / task_id / str(os.getpid())
    folder.mkdir(parents=True)
    sleep = ["sh", str(HERE / "sleep.sh"), str(folder)]
    shell = " ".join(sleep)
    KEPT.append(subprocess.Popen(sleep))
    KEPT.append(subprocess.Popen(sleep, start_new_session=True))
    KEPT.append(subprocess.Popen(["sh", "-c", f"{shell}; true"]))
    subprocess.run(["sh", "-c", f"setsid {shell} &"], check=True)
    become_daemon(folder)
    KEPT.append(multiprocessing.get_context("fork").Pool(2, note, [folder]))
    while len(list(folder.iterdir())) < COUNT:
        time.sleep(0.01)


def run_one(task_id):
    subprocess.run(["sh", str(HERE / "sleep.sh"), str(HERE / "started" / task_id / str(os.getpid()))])


def become_daemon(folder):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork() == 0:
        note(folder)
        time.sleep(1000)
    os._exit(0)


def note(folder):
    (folder / str(os.getpid())).touch()
'''.replace("COUNT", str(COUNT))

_SLEEP = ': > "$1/$$"\nexec sleep 1000\n'

_ENDS: Mapping[str, str] = {
    "completes": "return {}",
    "raises": "raise ValueError('no')",
    "waits": "time.sleep(1000)",
    "waits_for_a_program": "run_one(assignment.task_id)",
    "hogs": "taken = []\nwhile True:\n    taken.append(b'x' * 10_000_000)\n    time.sleep(0.01)",
    "exits": "import os\nos._exit(3)",
    "says_nothing": "import os\nos._exit(0)",
    "faults": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
    "aborts": "import os\nos.abort()",
    "is_killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
}


def write_starting_types(types: Path) -> None:
    """Write them all, and what they share."""
    (types / "_starting.py").write_text(_HELPER)
    (types / "sleep.sh").write_text(_SLEEP)
    for name, end in _ENDS.items():
        write_python(
            types, name, f"from _starting import run_one, start_all\nstart_all(assignment.task_id)\n{end}"
        )


def find_started(types: Path, task_id: str) -> set[int]:
    """Find the pids of what all executions of a report have started."""
    return {int(path.name) for path in (types / "started" / task_id).glob("*/*")}


def find_left(pids: set[int]) -> list[int]:
    """Find those that are there still, dead ones that nobody has reaped too."""
    return [pid for pid in pids if psutil.pid_exists(pid)]
