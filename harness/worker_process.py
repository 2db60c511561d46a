"""Worker processes as a user starts them, and the queue as a user sees it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import psutil
from redis import Redis
from redis.exceptions import RedisError

from reports_worker import BrokerAddress, Report, ReportQueue, Status, Submission, connect

from .wait import wait_until

ROOT = Path(__file__).parents[1]
COMMANDS = Path(sys.executable).parent
RQ_COMMAND = (str(COMMANDS / "rq"), "worker", "-c", "reports_worker.rq_config")
OUR_COMMAND = (sys.executable, "-m", "reports_worker")


class WorkerProcess:
    """A worker, what it prints, and the process in which it makes a report."""

    def __init__(self, command: Sequence[str], url: str, environ: dict[str, str], log: Path) -> None:
        self._url = url
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True
            )
        self._seen: set[psutil.Process] = set()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait_until_ready(self) -> WorkerProcess:
        """Wait until it waits for reports."""
        with Redis.from_url(self._url) as redis:
            wait_until(lambda: self._read_state(redis) == b"idle", what="a worker that is ready")
        return self

    def _read_state(self, redis: Redis) -> object:
        for key in redis.scan_iter("rq:worker:*", _type="hash"):
            pid, state = redis.hmget(key, "pid", "state")
            if pid == str(self.pid).encode():
                return state
        return None

    def find_job_process(self) -> psutil.Process | None:
        """The process that makes a report now."""
        children = psutil.Process(self.pid).children(recursive=True)
        self._seen |= set(children)
        return children[0] if children else None

    def wait_for_job_process(self) -> psutil.Process:
        return wait_until(self.find_job_process, what="a process that makes a report")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self, *, seconds: float = 20) -> int:
        """Its exit code."""
        wait_until(lambda: self.has_ended, seconds=seconds, what="the worker's exit")
        return self._process.wait()

    def end(self) -> None:
        """Leave nothing behind, in whatever state the test left it."""
        if not self.has_ended:
            self.find_job_process()
            ports = self._find_ports()
            self._process.kill()
            self._process.wait()
            self._wait_until_forgotten(ports)
        for making in self._seen:
            if making.is_running():
                making.kill()

    def _find_ports(self) -> set[int]:
        """Find the ports of its connections; none where it just ends, and belongs to root for a moment."""
        try:
            connections = psutil.Process(self.pid).net_connections("tcp")
        except psutil.Error:
            return set()
        return {connection.laddr.port for connection in connections}

    def _wait_until_forgotten(self, ports: set[int]) -> None:
        """Wait until the broker knows that it is gone: it would hand it the next report of another test."""

        def is_known() -> bool:
            return any(int(client["addr"].rpartition(":")[2]) in ports for client in redis.client_list())

        with suppress(RedisError, ValueError), Redis.from_url(self._url, socket_timeout=2) as redis:
            wait_until(lambda: not is_known(), what="the end of a dead worker's connections")


def is_gone(process: psutil.Process) -> bool:
    """Return whether a process has ended, reaped or not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        # Reaped between the two looks.
        return True


class StartWorkerOf(Protocol):
    """Start a worker of a broker; more of its environment by name."""

    def __call__(self, url: str, *, command: Sequence[str] = ..., **environ: str) -> WorkerProcess: ...


class StartWorker(Protocol):
    """Start a worker of the test's own broker; more of its environment by name."""

    def __call__(self, *, command: Sequence[str] = ..., **environ: str) -> WorkerProcess: ...


class Reports(ReportQueue):
    """The queue, with what tests ask again and again."""

    def __init__(self, url: str, *, timeout: timedelta = timedelta(hours=1)) -> None:
        super().__init__(connect(BrokerAddress(url)), timeout=timeout)

    def submit_sales(self, title: str) -> str:
        return self.submit(Submission(title, "sales"))

    def get(self, task_id: str) -> Report:
        report = self.find(task_id)
        assert report is not None
        return report

    def wait_for(self, task_id: str, *statuses: Status, seconds: float = 20) -> Report:
        """Wait for one of these; for a running report until its process has taken it, and said so."""

        def find() -> Report | None:
            report = self.get(task_id)
            is_taken = report.status is not Status.RUNNING or report.progress.stage
            return report if report.status in statuses and is_taken else None

        report = wait_until(find, seconds=seconds, what=f"one of {statuses} for {task_id}")
        assert report is not None
        return report

    def wait_for_end(self, task_id: str, *, seconds: float = 20) -> Report:
        return self.wait_for(task_id, Status.COMPLETED, Status.FAILED, seconds=seconds)

    def count_executions(self, task_id: str) -> int:
        return int(self.connection.hget(f"rq:job:{task_id}", "executions") or 0)
