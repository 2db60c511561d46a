"""Processes that misbehave neither disturb the apphost nor outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from apphost.application import Plan, find_secrets
from apphost.logs.console_log import ConsoleLog
from apphost.model.connection_strings import parse_connection
from apphost.processes.leftovers import StartedProcess, end, find_leftovers, remember
from apphost.supervision.health import redis_probe
from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from tests.unit.apphost.conftest import Host

MakeHost = Callable[..., Host]


def python(code: str, name: str = "one") -> str:
    return f"builder.add_executable({name!r}, sys.executable, '.', ['-c', {code!r}])"


def stop(host: Host) -> int:
    assert host.process is not None
    host.process.terminate()
    return host.wait(15)


def _with_grandchild(host: Host) -> list[psutil.Process]:
    """All descendants of the apphost, after one of them is not its direct child."""
    below = host.children()
    return below if any(one.ppid() != host.pid for one in below) else []


def test_lines_without_end_keep_no_command_waiting(make_host: MakeHost) -> None:
    host = make_host(python("import os\nwhile True: os.write(1, b'x\\n' * 30_000)")).start_healthy()
    wait_until(lambda: host.call("GET", "/api/resources/one/logs?limit=1")["last"] > 30_000, what="a flood")
    host.call("POST", "/api/resources/one/stop")
    host.wait_for_state("one", "Exited", seconds=5)

    assert psutil.Process(host.pid).memory_info().rss < 200_000_000
    assert stop(host) == 0


def test_a_line_without_an_end_is_split_into_pieces(make_host: MakeHost) -> None:
    code = "import sys\nfor _ in range(1000): sys.stdout.write('y' * 100_000)"
    host = make_host(python(f"{code}\nsys.stdout.write('the end')\nsys.stdout.flush()\ninput()")).start()

    host.wait_for_text("All healthy")
    wait_until(lambda: host.call("GET", "/api/resources/one/logs?limit=1")["last"] > 1000, what="pieces")

    assert psutil.Process(host.pid).memory_info().rss < 200_000_000
    assert stop(host) == 0


def test_a_resource_that_cannot_start_is_shown_and_the_others_run(make_host: MakeHost) -> None:
    host = make_host("""
        program("well")
        builder.add_executable("lost", sys.executable, "/no/such/folder")
    """).start()

    lost = host.wait_for_state("lost", "Exited")
    well = host.wait_for_state("well", "Running")

    assert lost["last_lines"][-1] == "cannot start in /no/such/folder: No such file or directory"
    assert well["restarts"] == 0
    assert "lost could not be started; it is started again in 0.5 s" in host.read_output()
    assert stop(host) == 0


def test_the_last_lines_of_a_dead_process_are_shown(make_host: MakeHost) -> None:
    code = "import sys\nfor n in range(500): print('line', n)\nsys.exit('the reason')"
    host = make_host(python(code)).start()

    assert host.wait_for_state("one", "Exited")["last_lines"][-1] == "the reason"
    assert stop(host) == 0


def test_all_that_ignore_the_signal_to_end_are_killed_within_ten_seconds(make_host: MakeHost) -> None:
    code = "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\nprint('deaf')\n"
    code += "while True: signal.pause()"
    host = make_host(f"""
        one = {python(code)}
        {python(code, "two")}.with_replicas(2).with_stop_timeout(6)
        builder.add_redis("broker")
    """).start_healthy()
    wait_until(lambda: host.read_output().count("| deaf") == 3, what="three that are deaf")
    children, begun = host.children(), time.monotonic()

    code_of_exit = stop(host)

    assert code_of_exit == 0
    assert time.monotonic() - begun < 10
    assert [child.pid for child in children if child.is_running()] == []


def test_processes_of_children_do_not_outlive_a_killed_apphost(make_host: MakeHost) -> None:
    """For example a gunicorn worker with a running request: the kernel kills only the apphost's children."""
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import signal; signal.pause()'])"
    host = make_host(python(code)).start_healthy()
    children = wait_until(lambda: _with_grandchild(host), what="child and grandchild")

    os.kill(host.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=5)

    assert alive == []


def test_process_groups_of_a_killed_process_end_with_it(make_host: MakeHost) -> None:
    """A report's process has a group of its own, in the session of its worker."""
    child = "import signal; signal.pause()"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}], process_group=0)"
    host = make_host(python(code)).start_healthy()
    below = wait_until(lambda: _with_grandchild(host), what="child and grandchild")
    leader = next(one for one in below if one.ppid() == host.pid and len(one.children()) == 1)
    orphan = leader.children()[0]

    leader.kill()
    _, alive = psutil.wait_procs([orphan], timeout=5)

    assert alive == []
    assert stop(host) == 0


def test_a_script_that_a_crashed_run_left_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nsleep 1000 &\nwait\n", encoding="utf-8")
    script.chmod(0o755)
    with subprocess.Popen([str(script), "worker"], start_new_session=True) as left:
        try:
            leader = psutil.Process(left.pid)
            wait_until(lambda: len(leader.children()) == 1, what="the sleep of the script")
            started = StartedProcess(
                "worker-1", left.pid, leader.create_time() + 0.5, (str(script), "worker")
            )
            remember(tmp_path / "processes.json", [started])

            assert end(find_leftovers(tmp_path / "processes.json")) == 2
        finally:
            with suppress(ProcessLookupError):
                os.killpg(left.pid, signal.SIGKILL)


def test_two_cannot_have_the_same_port(make_host: MakeHost) -> None:
    port = free_port()
    host = make_host(f'program("api").with_http_endpoint(port={port}, env="PORT")')
    host.environ["DASHBOARD_PORT"] = str(port)

    code = host.start().wait()

    assert code == 1
    assert host.read_output() == (
        f"Port {port} is set for the dashboard and for api: set DASHBOARD_PORT to another port.\n"
    )


def test_a_resource_that_stays_unhealthy_is_logged_once(make_host: MakeHost) -> None:
    host = make_host("""
        builder.add_connection_string("broker")
    """, ConnectionStrings__broker=f"localhost:{free_port()}").start()  # fmt: skip

    host.wait_for_text("broker is not healthy: PING: ")

    assert stop(host) == 0
    assert host.read_output().count("not healthy") == 1


def test_a_server_that_forbids_info_is_well_without_figures(tmp_path: Path) -> None:
    server = Broker(tmp_path).start()
    try:
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "default", "-info")
        health = redis_probe(server.url, queue_key="queue")()
    finally:
        server.stop()

    assert health.is_healthy
    assert health.figures == {}


def test_an_address_with_an_unknown_option_is_a_problem_that_is_shown() -> None:
    health = redis_probe("redis://localhost:1?nonsense=1", queue_key=None)()

    assert "nonsense" in health.problem


def test_a_password_is_a_secret_in_the_form_that_it_has_in_a_url_too() -> None:
    connection = parse_connection("broker", "redis.internal:6379,password=p@ss/word")

    secrets = find_secrets(Plan({}, {"broker": connection}, {}), "token")

    assert {"p@ss/word", "p%40ss%2Fword", "token"} <= set(secrets)


@pytest.mark.parametrize(("after", "numbers"), [(None, [4, 5]), (0, [1, 2]), (2, [3, 4]), (4, [5]), (9, [])])
def test_a_reader_that_follows_a_log_in_small_steps_gets_every_line(
    after: int | None, numbers: list[int]
) -> None:
    log = ConsoleLog()
    for text in "abcde":
        log.add(text, datetime.now(UTC))

    assert [line.number for line in log.read(after=after, limit=2)] == numbers
