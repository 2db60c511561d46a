"""Processes that the harness starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from harness.processes import ROOT

PROGRAM = """
import signal, sys
from harness.processes import interrupt_on_sigterm, run_program
interrupt_on_sigterm()
with run_program([sys.executable, "-c", "import signal; signal.pause()"]) as process:
    print(process.pid, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_processes_of_a_program_that_gets_a_signal_end_with_it(ending: signal.Signals) -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        started = int(program.stdout.readline())
        program.send_signal(ending)

    with pytest.raises(ProcessLookupError):
        os.kill(started, 0)
