"""The peer's side: the sample's design, uvicorn and a worker of Celery."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from redis import Redis

from benchmarks.environments import PEER
from harness.ports import free_port
from harness.processes import run_program
from harness.wait import wait_until

from .port import PROCESSES, Server, Stored, Submit, count_blocked, is_calm, run_server

_FIGURES = {
    "title": "Q4 2026 sales",
    "type": "sales",
    "total_sales": 35420,
    "orders": 287,
    "average_order_value": 123.45,
    "top_product": "Product-42",
    "processing_time": 8,
}
_EXPIRE_SECONDS = 86400
_BATCH = 5000


@dataclass(frozen=True)
class Peer:
    """The sample's design on the newest releases, in the environment of `python`."""

    python: Path
    queue: str = "celery"

    @contextmanager
    def serve(
        self, broker_url: str, *, processes: int = PROCESSES, stored: Stored | None = None
    ) -> Iterator[Server]:
        port = free_port()
        command: list[str | Path] = [
            self.python,
            "-m",
            "uvicorn",
            "main:app",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        if processes > 1:
            command += ["--workers", str(processes)]
        environ = {"ConnectionStrings__broker": broker_url, **(stored.environ if stored else {})}
        with run_server(command, folder=PEER, port=port, **environ) as server:
            yield server

    @contextmanager
    def work(self, broker_url: str, redis: Redis, *, seconds: int, marks: Path) -> Iterator[Sequence[int]]:
        command: list[str | Path] = [self.python, "-m", "celery", "-A", "probe", "worker", "--loglevel=info"]
        environ = {
            "ConnectionStrings__broker": broker_url,
            "LEAST_SECONDS": str(seconds),
            "MOST_SECONDS": str(seconds),
            "MARKS": str(marks),
        }
        concurrency = f"--concurrency={PROCESSES}"
        with run_program([*command, concurrency], folder=PEER, **environ) as worker:
            wait_until(lambda: self.is_waiting(redis), what="the peer's worker")
            wait_until(lambda: is_calm(worker.pid), what="the peer's worker to come to rest")
            yield [worker.pid]

    @contextmanager
    def submit(self, broker_url: str) -> Iterator[Submit]:
        with subprocess.Popen(
            [self.python, "submit.py"],
            cwd=PEER,
            env={"ConnectionStrings__broker": broker_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            questions, answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

            def submit(count: int) -> list[int]:
                begins = []
                for _ in range(count):
                    questions.write("Q4 2026 sales\n")
                    questions.flush()
                    begins.append(int(answers.readline()))
                return begins

            yield submit

    def store(self, redis: Redis, folder: Path, *, count: int, completed: bool) -> Stored:
        """Write results as Celery does, and for the API's memory a file of what it was asked for."""
        ids = [str(uuid.uuid4()) for _ in range(count)]
        now = datetime.now(UTC).isoformat()
        for start in range(0, count if completed else 0, _BATCH):
            with redis.pipeline(transaction=False) as pipeline:
                for task_id in ids[start : start + _BATCH]:
                    pipeline.setex(f"celery-task-meta-{task_id}", _EXPIRE_SECONDS, _result(task_id, now))
                pipeline.execute()
        asked = {"title": "Q4 2026 sales", "type": "sales", "created_at": now}
        path = folder / f"stored-{uuid.uuid4()}.json"
        path.write_text(json.dumps(dict.fromkeys(ids, asked)), encoding="utf-8")
        return Stored(ids, {"STORED_REPORTS": str(path)})

    def is_waiting(self, redis: Redis) -> bool:
        return count_blocked(redis, "brpop") == 1


def _result(task_id: str, now: str) -> str:
    return json.dumps(
        {
            "status": "SUCCESS",
            "result": _FIGURES,
            "traceback": None,
            "children": [],
            "date_done": now,
            "task_id": task_id,
        }
    )
