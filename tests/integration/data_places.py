"""A worker that makes reports over real data, as a user starts it, with all that it reads and writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.broker import Broker
from harness.worker_process import Reports, StartWorkerOf, WorkerProcess
from reports_worker import BrokerAddress, Report, Settings, Submission
from reports_worker import Reports as Door
from reports_worker.artifacts import Store, open_store
from reports_worker.settings.data import DataSettings


@dataclass(frozen=True)
class DataPlace:
    """`door` asks as Python code does, with all checks; `queue` as the API does, past them."""

    broker: Broker
    environ: Mapping[str, str]
    worker: WorkerProcess
    queue: Reports
    door: Door

    @property
    def settings(self) -> Settings:
        return Settings(broker=BrokerAddress(self.broker.url), data=DataSettings.from_environ(self.environ))

    @property
    def store(self) -> Store:
        return open_store(self.settings.data.artifacts)

    def submit(self, name: str, *formats: str, seconds: float = 60) -> str:
        """Ask for a report of a type without parameters, which may run so long."""
        queue = Reports(self.broker.url, timeout=timedelta(seconds=seconds))
        try:
            return queue.submit(Submission(name, name, formats=formats or ("json",)))
        finally:
            queue.connection.close()

    @property
    def types(self) -> Path:
        """The folder of types of report."""
        return Path(self.environ["REPORTS_PATH"])

    def make(self, name: str, *formats: str) -> Report:
        """Ask for a report, and wait for its end."""
        return self.queue.wait_for_end(self.submit(name, *formats))

    def read(self, report: Report, name: str) -> bytes:
        """Read a file of a report from where it is kept."""
        file = self.store.open(report.task_id, report.artifacts_at or "", name)
        try:
            return b"".join(file.chunks)
        finally:
            file.close()

    def read_whole(self, report: Report) -> Mapping[str, bytes]:
        """Read all files of a report, which must be as their receipts say."""
        files = {receipt.name: self.read(report, receipt.name) for receipt in report.artifacts}
        for receipt in report.artifacts:
            data = files[receipt.name]
            assert (len(data), hashlib.sha256(data).hexdigest()) == (receipt.size, receipt.sha256)
        return files


@contextmanager
def open_place(
    folder: Path, start_worker: StartWorkerOf, *, artifacts: str = "", warehouse: str = "", **environ: str
) -> Iterator[DataPlace]:
    """Start broker and worker; types of report are read from `folder / "types"`."""
    (folder / "types").mkdir(parents=True, exist_ok=True)
    broker = Broker(folder / "broker").start()
    data = {
        "ConnectionStrings__warehouse": warehouse,
        "ConnectionStrings__artifacts": artifacts or str(folder / "artifacts"),
        "REPORTS_PATH": str(folder / "types"),
        **environ,
    }
    queue = Reports(broker.url)
    door = Door(Settings(broker=BrokerAddress(broker.url), data=DataSettings.from_environ(data)))
    worker = start_worker(broker.url, **data)
    try:
        yield DataPlace(broker, data, worker, queue, door)
    finally:
        worker.end()
        queue.connection.close()
        door._queue.connection.close()
        broker.stop()
