"""The liveness of a worker: the HTTP probe, systemd's watchdog, and the command for operators."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.broker import Broker
from harness.ports import free_port
from harness.wait import wait_until
from harness.worker_process import Reports, StartWorkerOf, WorkerProcess
from reports_worker import Status, Submission
from reports_worker.health.http_probe import Probe
from reports_worker.health.liveness import Liveness, Part
from reports_worker.settings.probe import ProbeSettings
from tests.integration.command_line_runs import run

LONG = {"REPORTS_SIMULATED_SECONDS": "300", "REPORTS_GRACE": "0s"}


def ask(port: int, path: str = "/alive") -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class Manager:
    """systemd, as far as a service sees it."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20)
        self.environ = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}

    def wait_for(self, state: str) -> None:
        while self._socket.recv(1024) != state.encode():
            pass

    def forget(self) -> None:
        """Discard all notifications received until now."""
        self._socket.setblocking(False)
        try:
            while self._socket.recv(1024):
                pass
        except BlockingIOError:
            self._socket.settimeout(20)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


def test_a_worker_reports_its_liveness(tmp_path: Path, start_worker: StartWorkerOf, manager: Manager) -> None:
    broker, port = Broker(tmp_path / "broker").start(), free_port()
    reports = Reports(broker.url)
    environ = {"REPORTS_PROBE_PORT": str(port), **LONG, **manager.environ}
    process = start_worker(broker.url, **environ)
    try:
        manager.wait_for("READY=1")
        manager.wait_for("WATCHDOG=1")
        assert ask(port) == (200, {"status": "alive", "service": "report-worker"})
        assert ask(port, "/alive?full")[0] == 200
        assert ask(port, "/")[0] == 404

        # The worker is alive with a running report and without its broker, where a restart would not help.
        reports.wait_for(reports.submit(Submission("Quarter", "sales")), Status.RUNNING)
        broker.kill()
        wait_until(lambda: "does not answer" in process.output, what="a worker that misses its broker")
        manager.forget()
        manager.wait_for("WATCHDOG=1")
        assert ask(port)[0] == 200
        assert run(broker.url, "alive", REPORTS_PROBE_PORT=str(port)).stdout == "alive\n"

        assert_silence_is_a_fault(process, broker.url, port)
        broker.start()
        process.send(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        assert process.wait() == 0
    finally:
        reports.connection.close()
        broker.kill()


def assert_silence_is_a_fault(process: WorkerProcess, url: str, port: int) -> None:
    process.send(signal.SIGSTOP)
    worker = psutil.Process(process.pid)
    wait_until(lambda: worker.status() == psutil.STATUS_STOPPED, what="a worker that stands still")
    try:
        asked = run(url, "alive", REPORTS_PROBE_PORT=str(port))
    finally:
        process.send(signal.SIGCONT)
    assert asked.exit_code == 1
    assert asked.stderr == f"Error: No worker answers at 127.0.0.1:{port}: timed out.\n"
    assert ask(port)[0] == 200


def test_the_port_is_free_at_once_after_a_worker_died_and_taken_while_one_lives(
    broker: Broker, start_worker: StartWorkerOf, reports: Reports
) -> None:
    environ = {"REPORTS_PROBE_PORT": str(free_port()), **LONG}
    first = start_worker(broker.url, **environ)
    reports.wait_for(reports.submit(Submission("Quarter", "sales")), Status.RUNNING)
    first.wait_for_job_process()

    refused = start_worker(broker.url, **environ)
    code = refused.wait()
    first.send(signal.SIGKILL)
    first.wait()
    second = start_worker(broker.url, **environ).wait_until_ready()

    assert code == 1
    assert "This worker does not start: it cannot listen at 127.0.0.1:" in refused.output
    assert "Set REPORTS_PROBE_PORT" in refused.output
    assert ask(int(environ["REPORTS_PROBE_PORT"]))[0] == 200
    assert not second.has_ended


@pytest.fixture
def clock() -> dict[str, float]:
    return {"now": 100.0}


def test_a_part_that_stands_still_is_named(clock: dict[str, float]) -> None:
    liveness = Liveness(now=lambda: clock["now"])
    liveness.watch(Part("main loop", lambda: 100.0, 60), Part("lease renewal", lambda: clock["now"], 1))
    settings = ProbeSettings(free_port())
    probe = Probe(settings, liveness)
    probe.open()
    assert settings.port is not None

    before = ask(settings.port)
    clock["now"] += 61
    after = ask(settings.port)
    asked = run("redis://localhost:1", "alive", REPORTS_PROBE_PORT=str(settings.port))
    probe.close()

    reason = "The main loop has not moved for 61 s; 60 s are allowed."
    assert before == (200, {"status": "alive", "service": "report-worker"})
    assert after == (503, {"status": "stuck", "service": "report-worker", "reason": reason})
    assert (asked.exit_code, asked.stderr) == (1, f"Error: {reason}\n")


def test_a_client_that_sends_nothing_does_not_block_the_probe() -> None:
    settings = ProbeSettings(free_port())
    probe = Probe(settings, Liveness())
    probe.open()
    assert settings.port is not None

    with socket.create_connection(("127.0.0.1", settings.port)) as silent:
        odd = socket.create_connection(("127.0.0.1", settings.port))
        odd.sendall(b"\xff\x00 nothing")

        assert ask(settings.port)[0] == 200
        assert silent.recv(100) == b""
        assert odd.recv(100).startswith(b"HTTP/1.1 404")
    odd.close()
    probe.close()


def test_without_a_port_the_command_names_the_setting() -> None:
    asked = run("redis://localhost:1", "alive")

    assert asked.exit_code == 1
    assert "REPORTS_PROBE_PORT is not set" in asked.stderr


def test_a_process_that_was_not_started_by_systemd_sends_no_notification(manager: Manager) -> None:
    from reports_worker.health.systemd import ServiceManager  # noqa: PLC0415 - beside what it is about

    another = ServiceManager({**manager.environ, "WATCHDOG_PID": "1"}, pid=os.getpid())

    assert ServiceManager({}).every_seconds is None
    assert another.every_seconds is None
    ServiceManager({}).notify("READY=1")
    ServiceManager({"NOTIFY_SOCKET": "/no/such/socket"}).notify("READY=1")
