"""Our side: gunicorn with the settings that we ship, and workers of RQ."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis import Redis

from benchmarks.environments import ROOT
from harness.ports import free_port
from harness.processes import run_program
from harness.wait import wait_until
from reports_worker import BrokerAddress, ReportQueue, connect
from reports_worker.broker import keys

from .port import PROCESSES, Server, Stored, Submit, count_blocked, is_calm, run_server
from .product_records import SUBMISSION, TIMEOUT, write_reports

_COMMANDS = Path(sys.executable).parent


class Ours:
    """The product as it is deployed."""

    queue = keys.QUEUED

    @contextmanager
    def serve(
        self, broker_url: str, *, processes: int = PROCESSES, stored: Stored | None = None
    ) -> Iterator[Server]:
        port = free_port()
        command: list[str | Path] = [
            _COMMANDS / "gunicorn",
            "-c",
            "python:reports_app.gunicorn_conf",
            "reports_app:create_app()",
        ]
        environ = {
            "ConnectionStrings__broker": broker_url,
            "PORT": str(port),
            "WEB_CONCURRENCY": str(processes),
            "REPORTS_SECRET_KEY": secrets.token_hex(16),
            **(stored.environ if stored else {}),
        }
        with run_server(command, folder=ROOT, port=port, **environ) as server:
            yield server

    @contextmanager
    def work(self, broker_url: str, redis: Redis, *, seconds: int, marks: Path) -> Iterator[Sequence[int]]:
        command: list[str | Path] = [_COMMANDS / "rq", "worker", "-c", "benchmarks.targets.product_probe"]
        environ = {
            "ConnectionStrings__broker": broker_url,
            "REPORTS_SIMULATED_SECONDS": str(seconds),
            "REPORTS_GRACE": "1s",
            "MARKS": str(marks),
        }
        with ExitStack() as stack:
            workers = [
                stack.enter_context(run_program(command, folder=ROOT, **environ)) for _ in range(PROCESSES)
            ]
            pids = [worker.pid for worker in workers]
            wait_until(lambda: self.is_waiting(redis), what="our workers")
            wait_until(lambda: all(map(is_calm, pids)), what="our workers to come to rest")
            yield pids

    @contextmanager
    def submit(self, broker_url: str) -> Iterator[Submit]:
        with connect(BrokerAddress(broker_url)) as connection:
            queue = ReportQueue(connection, timeout=TIMEOUT)

            def submit(count: int) -> list[int]:
                begins = []
                for _ in range(count):
                    begins.append(time.monotonic_ns())
                    queue.submit(SUBMISSION)
                return begins

            yield submit

    def store(self, redis: Redis, folder: Path, *, count: int, completed: bool) -> Stored:  # noqa: ARG002
        return Stored(write_reports(redis, count=count, completed=completed))

    def is_waiting(self, redis: Redis) -> bool:
        return count_blocked(redis, "blmove") == PROCESSES
