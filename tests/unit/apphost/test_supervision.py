"""Real processes under a real apphost."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from apphost.processes.leftovers import StartedProcess, end, find_leftovers, remember
from apphost.processes.ports import is_free
from harness.ports import free_port
from harness.wait import wait_until
from tests.unit.apphost.conftest import Host

MakeHost = Callable[..., Host]

THREE = """
    broker = builder.add_redis("broker")
    api = program("api").with_reference(broker).wait_for(broker)
    api.with_http_endpoint(env="PORT").with_http_health_check(path="/health")
    program("worker").with_reference(broker).wait_for(broker).with_replicas(2)
"""


def test_dependents_start_when_the_broker_is_healthy_and_stop_before_it(make_host: MakeHost) -> None:
    host = make_host(THREE).start_healthy()
    wait_until(lambda: len(host.journal()) == 3, what="all three at work")
    figures = host.resource("broker")["figures"]
    children = host.children()

    host.process.terminate()  # type: ignore[union-attr]
    code = host.wait(10)

    assert code == 0
    assert sorted(host.journal()[:3]) == ["api starts, broker up", *["worker starts, broker up"] * 2]
    assert host.journal()[3:] == ["api stops, broker up", *["worker stops, broker up"] * 2]
    assert figures.keys() >= {"clients", "memory", "commands/s", "keys"}
    assert [child.pid for child in children if child.is_running()] == []


def test_an_unhealthy_resource_is_shown_and_delays_resources_that_wait_for_it(make_host: MakeHost) -> None:
    host = make_host("""
        api = program("api").with_http_endpoint(env="PORT").with_http_health_check(path="/health")
        program("later").wait_for(api)
    """)
    (host.folder / "sick").touch()

    host.start().wait_for_state("later", "Waiting")
    wait_until(lambda: "503" in host.resource("api")["problem"], what="the answer of a sick program")
    api = host.resource("api")
    waiting_for = host.resource("later")["waiting_for"]
    (host.folder / "sick").unlink()

    assert (api["state"], api["health"]) == ("Running", "Unhealthy")
    assert api["problem"] == "GET /health answered 503"
    assert waiting_for == ["api"]
    assert host.wait_for_state("later", "Running")["health"] == "Healthy"


@pytest.mark.wide
def test_a_dead_process_is_restarted_until_it_dies_too_often(make_host: MakeHost) -> None:
    host = make_host("""
        program("crashing")
        program("steady")
        program("stubborn").with_stop_timeout(0.5)
    """).start()
    steady = host.wait_for_state("steady", "Running")

    os.kill(steady["pid"], signal.SIGKILL)
    wait_until(lambda: host.resource("steady")["pid"] not in (None, steady["pid"]), what="a new process")
    again = host.resource("steady")
    failed = host.wait_for_state("crashing", "FailedToStart")
    host.process.send_signal(signal.SIGINT)  # type: ignore[union-attr]
    code = host.wait(10)

    assert (again["restarts"], again["state"]) == (1, "Running")
    assert (failed["restarts"], failed["exit_code"], failed["last_lines"][-1]) == (4, 1, "cannot go on")
    assert [line for line in host.journal() if line.startswith("crashing")] == [
        "crashing starts, broker unknown"
    ] * 5
    pauses = re.findall(r"crashing ended with code 1; it is started again in ([\d.]+) s", host.read_output())
    assert pauses == ["0.5", "1", "2", "4"]
    assert "crashing ended with code 1, 5 times in a row: given up" in host.read_output()
    assert code == 0
    assert "stubborn stops" not in "".join(host.journal())


def test_buttons_stop_start_and_restart(make_host: MakeHost) -> None:
    host = make_host("""program("one").with_replicas(2)""").start_healthy()
    wait_until(lambda: len(host.journal()) == 2, what="both programs at work")
    first = host.resource("one-1")["pid"]

    host.call("POST", "/api/resources/one-1/stop")
    stopped = host.wait_for_state("one-1", "Finished")
    host.call("POST", "/api/resources/one-1/start")
    started = host.wait_for_state("one-1", "Running")
    wait_until(lambda: len(host.journal()) == 4, what="the program at work again")
    both = host.call("POST", "/api/resources/one/restart")
    wait_until(
        lambda: host.resource("one-1")["pid"] not in (None, started["pid"]), what="a restarted process"
    )

    assert (stopped["pid"], stopped["actions"], stopped["restarts"]) == (None, ["start"], 0)
    assert started["pid"] != first
    assert both == {"action": "restart", "names": ["one-1", "one-2"]}


def test_nothing_outlives_an_apphost_that_is_killed(make_host: MakeHost) -> None:
    host = make_host(THREE).start_healthy()
    children = host.children()
    assert len(children) == 5  # with the watchdog

    host.process.kill()  # type: ignore[union-attr]

    wait_until(lambda: not any(child.is_running() for child in children), seconds=5, what="no child")


def test_data_persist_and_the_password_is_on_no_command_line(make_host: MakeHost) -> None:
    port = free_port()
    host = make_host(f'builder.add_redis("broker", port={port})').start_healthy()
    password = (host.state / "broker-password").read_text(encoding="utf-8")
    with Redis(port=port, password=password) as client:
        client.set("kept", "1")
    commands = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]

    host.process.kill()  # type: ignore[union-attr]
    host.wait()
    wait_until(lambda: is_free(port), what="the end of the broker")
    host.output.unlink()
    host.start_healthy()
    with Redis(port=port, password=password) as client:
        kept = client.get("kept")

    assert kept == b"1"
    assert not any(password in command for command in commands)
    with Redis(port=port, protocol=2) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    private = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in host.state.iterdir() if path.is_file()
    }
    assert {name for name, mode in private.items() if mode != 0o600} <= {"lock"}


def test_a_broker_port_in_use_is_replaced_with_a_message(make_host: MakeHost) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        host = make_host(f'builder.add_redis("broker", port={port})').start_healthy()

    assert re.search(rf"Port {port} is in use, so broker uses port \d+", host.read_output())


def test_of_two_that_start_at_once_each_gets_a_port(make_host: MakeHost) -> None:
    model = f'builder.add_redis("broker", port={free_port()})'
    hosts = [make_host(model, folder=name) for name in ("one", "two")]

    for host in hosts:
        host.start()
    for host in hosts:
        host.wait_for_text("All healthy")

    assert len({tuple(host.resource("broker")["endpoints"]) for host in hosts}) == 2


def test_a_port_in_use_ends_the_start_with_one_line(make_host: MakeHost) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        host = make_host(f"""
            broker = builder.add_redis("broker")
            program("api").with_http_endpoint(port={port}, env="PORT").wait_for(broker)
        """).start()

        code = host.wait()

    assert code == 1
    holder = f"{psutil.Process().name()} (pid {os.getpid()})"
    assert host.read_output() == (
        f"Port {port} is in use by {holder}. Stop that program, or set PORT to another port.\n"
    )
    assert host.journal() == []


def test_a_second_apphost_in_the_same_folder_is_refused(make_host: MakeHost) -> None:
    first = make_host("""program("one")""").start_healthy()
    second = make_host("""program("one")""")
    second.output = second.folder / "second"

    code = second.start().wait()

    assert code == 1
    assert second.read_output().count("\n") == 1
    assert f"(pid {first.pid}). Stop it" in second.read_output()


def test_secrets_are_masked_in_logs(make_host: MakeHost) -> None:
    host = make_host(THREE).start_healthy()
    password = (host.state / "broker-password").read_text(encoding="utf-8")

    lines = wait_until(lambda: host.call("GET", "/api/resources/api/logs")["lines"], what="a line of the api")

    assert lines[0]["text"] == "hello from api password ********"
    assert password not in host.read_output()
    assert password not in str(host.call("GET", "/api/resources"))


def test_a_broker_of_the_users_own_is_watched_and_never_stopped(make_host: MakeHost, redis: Redis) -> None:
    url = f"redis://localhost:{redis.connection_pool.connection_kwargs['port']}"
    host = make_host(
        'program("api").with_reference(builder.add_connection_string("broker"))',
        ConnectionStrings__broker=url,
    ).start_healthy()

    shown = host.resource("broker")
    host.process.terminate()  # type: ignore[union-attr]

    assert host.wait(10) == 0
    assert (shown["state"], shown["health"], shown["pid"], shown["actions"]) == (
        "Running",
        "Healthy",
        None,
        [],
    )
    assert redis.ping()


def test_leftovers_of_a_crashed_run_are_killed_and_a_process_with_a_reused_pid_is_not(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import threading; threading.Event().wait()")
    with (
        subprocess.Popen(command, start_new_session=True) as left,
        subprocess.Popen(command, start_new_session=True) as stranger,
    ):
        try:
            wait_until(
                lambda: all(psutil.Process(one.pid).cmdline() == list(command) for one in (left, stranger))
            )
            start = {one.pid: psutil.Process(one.pid).create_time() for one in (left, stranger)}
            remember(
                tmp_path / "processes.json",
                [
                    StartedProcess("left", left.pid, start[left.pid], command),
                    StartedProcess("reused", stranger.pid, start[stranger.pid] - 100, command),
                    StartedProcess("other", stranger.pid, start[stranger.pid], ("another", "program")),
                ],
            )

            count = end(find_leftovers(tmp_path / "processes.json"))

            assert count == 1
            assert not psutil.pid_exists(left.pid)
            assert stranger.poll() is None
        finally:
            left.kill()
            stranger.kill()


def test_a_file_of_another_version_asks_for_nothing(tmp_path: Path) -> None:
    for text in ("{", "[1]", '[{"who": "knows"}]'):
        (tmp_path / "processes.json").write_text(text, encoding="utf-8")

        assert find_leftovers(tmp_path / "processes.json") == []
    assert find_leftovers(tmp_path / "missing.json") == []
