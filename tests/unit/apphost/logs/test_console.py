"""A console that is not read, or cannot be written to, blocks nothing."""

from __future__ import annotations

import errno
import fcntl
import io
import logging
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apphost.logs.console import Console, LineStream
from apphost.logs.console_log import SecretMask
from apphost.logs.line_writer import LINE_BYTES, LineWriter
from apphost.model.resources import Kind, Resource
from apphost.processes.child_process import ChildProcess
from apphost.supervision.instance import Instance
from apphost.supervision.supervisor import Supervisor
from harness.wait import wait_until
from tests.extent import count_examples
from tests.unit.apphost.conftest import Host

MakeHost = Callable[..., Host]

STEADY = "import signal\nprint('at work', flush=True)\nsignal.pause()"
FLOOD = "while True: print('x' * 200)"
STOP_OUTPUT = b"\x13"
START_OUTPUT = b"\x11"


def python(code: str, name: str) -> str:
    return f"builder.add_executable({name!r}, sys.executable, '.', ['-c', {code!r}])"


class Pipe:
    """A small pipe, and what was read from it."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.reading, False)
        self.stream: TextIO = os.fdopen(writing, "w", encoding="utf-8")
        self.read_bytes = b""

    def read(self, count: int = 1 << 20) -> str:
        with suppress(BlockingIOError):
            self.read_bytes += os.read(self.reading, count)
        return self.read_bytes.decode()

    def fill(self) -> None:
        """Write as another program until no byte fits."""
        writing = self.stream.fileno()
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b".")
        os.set_blocking(writing, True)

    def close(self) -> None:
        os.close(self.reading)
        self.stream.close()


class FullDisk(io.StringIO):
    """A stream that refuses all writes while its disk is full."""

    is_full = True
    refused = 0

    def write(self, text: str) -> int:
        if self.is_full:
            self.refused += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def account(text: str) -> tuple[list[str], int]:
    """Return the shown lines, and the number of dropped lines according to the notes."""
    notices = re.findall(r"^\(([\d,]+) lines are not shown", text, re.MULTILINE)
    shown = [line for line in text.splitlines() if not line.startswith("(")]
    return shown, sum(int(count.replace(",", "")) for count in notices)


def has_restarted(host: Host, pid: int) -> bool:
    return host.resource("steady")["pid"] not in (None, pid)


def wait_for_dashboard(host: Host, name: str) -> int:
    return int(host.wait_for_state(name, "Running")["pid"])


def test_lines_beyond_the_bound_are_dropped_and_counted_where_they_are_missing(pipe: Pipe) -> None:
    pipe.fill()
    writer = LineWriter(pipe.stream, max_bytes=100 * LINE_BYTES)
    for number in range(1000):
        writer.put(f"{number}")

    wait_until(lambda: "not shown" in pipe.read(), what="the notice")
    writer.put("after")
    wait_until(lambda: pipe.read().endswith("after\n"), what="the line after")

    text = pipe.read().lstrip(".")
    shown, dropped = account(text)
    assert shown == [*(str(number) for number in range(1000 - dropped)), "after"]
    assert 800 < dropped < 1000
    assert text.splitlines()[-2] == f"({dropped} lines are not shown: the console was not read)"


@settings(max_examples=count_examples(15, wide=300), deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6000)), min_size=1, max_size=20))
def test_every_line_is_shown_in_order_or_counted(steps: list[tuple[int, int]]) -> None:
    pipe = Pipe()
    try:
        writer = LineWriter(pipe.stream, max_bytes=2000)
        count = 0
        for lines, read in steps:
            for _ in range(lines):
                writer.put(f"{count} {'y' * 100}")
                count += 1
            pipe.read(read)
        writer.put("the end")
        closing = threading.Thread(target=writer.close)
        closing.start()
        while closing.is_alive():
            pipe.read()
        shown, dropped = account(pipe.read())
    finally:
        pipe.close()

    numbers = [int(line.split()[0]) for line in shown if line != "the end"]
    assert numbers == sorted(numbers)
    assert len(shown) + dropped == count + 1


def test_a_burst_of_lines_is_shown_completely_to_a_reader_that_reads(pipe: Pipe) -> None:
    writer = LineWriter(pipe.stream, max_bytes=10_000_000)
    for number in range(20_000):
        writer.put(str(number))
    closing = threading.Thread(target=writer.close)
    closing.start()
    while closing.is_alive():
        pipe.read()

    assert pipe.read().split() == [str(number) for number in range(20_000)]


def test_lines_that_a_full_disk_refuses_are_counted_after_the_disk_has_space_again() -> None:
    disk = FullDisk()
    writer = LineWriter(disk)
    for number in range(3):
        writer.put(str(number))
        wait_until(lambda: disk.refused > number, what="the refusal")  # noqa: B023 - it is over before the next

    disk.is_full = False
    writer.put("after")
    writer.close()

    assert disk.getvalue() == "(3 lines are not shown: the console was not read)\nafter\n"


def test_a_log_call_does_not_wait_for_a_reader(pipe: Pipe) -> None:
    pipe.fill()
    handler = logging.StreamHandler(LineStream(LineWriter(pipe.stream)))
    logger = logging.getLogger("tests.a_library")
    logger.addHandler(handler)
    logger.propagate = False
    logger.error("first")
    logger.error("second")

    wait_until(lambda: pipe.read().lstrip(".") == "first\nsecond\n", what="both lines")


def test_a_line_without_end_on_stderr_is_shown_when_it_is_flushed(pipe: Pipe) -> None:
    stream = LineStream(LineWriter(pipe.stream))
    print("whole\nbegun", end="", file=stream)
    stream.flush()

    wait_until(lambda: pipe.read() == "whole\nbegun\n", what="both lines")


def test_a_process_that_dies_is_restarted_while_the_terminal_is_stopped(make_host: MakeHost) -> None:
    terminal, inside = pty.openpty()
    host = make_host(f"{python(STEADY, 'steady')}; {python(FLOOD, 'flood')}").start_on(inside)
    os.close(inside)
    first = wait_for_dashboard(host, "steady")
    os.write(terminal, STOP_OUTPUT)

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: has_restarted(host, first), seconds=10, what="a new process")
    assert host.resource("steady")["restarts"] == 1
    children = host.children()
    begun = time.monotonic()
    os.kill(host.pid, signal.SIGTERM)
    code = host.wait(10)

    assert code == 0
    assert time.monotonic() - begun < 10
    assert [child.pid for child in children if child.is_running()] == []
    os.close(terminal)


@pytest.mark.wide
def test_a_terminal_that_continues_shows_how_many_lines_were_dropped(make_host: MakeHost) -> None:
    terminal, inside = pty.openpty()
    host = make_host(f"{python(STEADY, 'steady')}; {python(FLOOD, 'flood')}").start_on(inside)
    os.close(inside)
    wait_for_dashboard(host, "flood")
    os.write(terminal, STOP_OUTPUT)
    wait_until(lambda: host.call("GET", "/api/resources/flood/logs?limit=1")["last"] > 60_000, what="a flood")
    host.call("POST", "/api/resources/flood/stop")
    host.wait_for_state("flood", "Exited", seconds=5)

    os.write(terminal, START_OUTPUT)
    text = b""
    while b"not shown" not in text[-200:]:
        text += os.read(terminal, 1 << 16)

    assert re.search(rb"\n\([\d,]{3,} lines are not shown: the console was not read\)", text)
    os.kill(host.pid, signal.SIGTERM)
    while b"Stopping" not in text[-200:]:
        text += os.read(terminal, 1 << 16)
    assert host.wait(10) == 0
    os.close(terminal)


@pytest.mark.wide
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_apphost_whose_full_pipe_is_not_read_stops_as_usual(make_host: MakeHost, number: int) -> None:
    reading, writing = os.pipe()
    host = make_host(f"{python(STEADY, 'steady')}; {python(FLOOD, 'flood')}").start_on(writing)
    wait_for_dashboard(host, "flood")
    wait_until(
        lambda: host.call("GET", "/api/resources/flood/logs?limit=1")["last"] > 2000, what="a full pipe"
    )
    children = host.children()

    os.kill(host.pid, number)
    code = host.wait(10)
    os.close(reading)
    os.close(writing)

    assert code == 0
    assert [child.pid for child in children if child.is_running()] == []


def test_a_second_signal_kills_processes_that_ignore_the_first_while_nothing_is_read(
    make_host: MakeHost,
) -> None:
    deaf = "import signal\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf')\nwhile True: print('x' * 200)"
    reading, writing = os.pipe()
    host = make_host(f"{python(deaf, 'deaf')}.with_stop_timeout(60)").start_on(writing)
    wait_for_dashboard(host, "deaf")
    wait_until(
        lambda: host.call("GET", "/api/resources/deaf/logs?limit=1")["last"] > 2000, what="a full pipe"
    )
    os.kill(host.pid, signal.SIGINT)
    host.wait_for_state("deaf", "Stopping")

    os.kill(host.pid, signal.SIGINT)
    code = host.wait(5)
    os.close(reading)
    os.close(writing)

    assert code == 0


def test_a_second_request_to_stop_kills_without_the_loop(tmp_path: Path) -> None:
    """The loop may wait for a disk or for a program that is slow to start."""
    instance = Instance("one", Resource("one", Kind.EXECUTABLE), has_probe=False)
    console = Console(LineWriter(None))
    supervisor = Supervisor([instance], {}, mask=SecretMask([]), console=console, remember=lambda _: None)
    code = "import signal\nsignal.pause()"
    instance.process = ChildProcess(
        "one", [sys.executable, "-c", code], working_dir=str(tmp_path), env=os.environ, on_line=print
    )

    supervisor.ask_to_stop()
    alive = instance.process.exit_code()
    supervisor.ask_to_stop()

    assert alive is None
    assert wait_until(instance.process.exit_code, what="the end") == -signal.SIGKILL


def test_an_apphost_without_stdout_and_stderr_works(make_host: MakeHost) -> None:
    host = make_host("""program("one")""")
    command = f'exec "{sys.executable}" host.py <&- >&- 2>&-'
    host.process = subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=host.folder, env=host.environ, start_new_session=True
    )
    host.wait_for_state("one", "Running")
    os.kill(host.pid, signal.SIGTERM)

    assert host.wait(10) == 0
    assert (host.state / "lock").read_text(encoding="ascii") == str(host.pid)


def test_an_apphost_on_a_full_disk_works(make_host: MakeHost) -> None:
    with Path("/dev/full").open("wb") as full:
        host = make_host("""program("one")""").start_on(full)
    host.wait_for_state("one", "Running")
    os.kill(host.pid, signal.SIGTERM)

    assert host.wait(10) == 0


def test_the_last_lines_reach_a_reader_before_the_end(make_host: MakeHost) -> None:
    code = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit())\nprint('up', flush=True)\n"
    code += "try: signal.pause()\nfinally: print('last words', flush=True)"
    host = make_host(python(code, "one")).start()
    host.wait_for_text("one      | up")
    os.kill(host.pid, signal.SIGTERM)

    assert host.wait(10) == 0
    assert host.read_output().splitlines()[-2:] == ["Stopping", "one      | last words"]
