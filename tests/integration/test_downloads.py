"""Downloads from Python and from the command line, and the files that a killed worker leaves."""

from __future__ import annotations

import hashlib
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from harness import worker_process as worker_processes
from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import StartWorker
from reports_worker import BrokerAddress, ReportQueue, Reports, Settings, Status, Submission
from reports_worker.artifacts import ArtifactGoneError, make_scratch
from reports_worker.artifacts.address import FolderAddress
from reports_worker.artifacts.filesystem import FolderStore
from reports_worker.broker import keys
from reports_worker.domain.report import Completed, Receipt
from reports_worker.errors import NoSuchReportError
from reports_worker.queue.leases import Execution, Leases
from reports_worker.settings.data import DataSettings
from tests.integration import command_line_runs

DATA = b"number,price\r\n" * 100_000


def receipt_for(name: str, data: bytes) -> Receipt:
    return Receipt("csv", "text/csv", 0.1, name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())


ORDERS = receipt_for("orders.csv", DATA)
CUT = replace(receipt_for("cut.csv", b"x"), cut="Only the first row.")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "artifacts")


@pytest.fixture
def task_id(broker: Broker, store: FolderStore, tmp_path: Path) -> str:
    """Leave a completed report with two files, one of them cut."""
    with broker.client() as connection:
        task_id = ReportQueue(connection, timeout=timedelta(hours=1)).submit(Submission("Quarter", "sales"))
        connection.delete(keys.QUEUED)
        leases, execution = Leases(connection, retention=timedelta(days=1)), Execution(task_id, "e1")
        assert leases.start(execution, worker="w", expires=timedelta(hours=1))
        for receipt, data in ((ORDERS, DATA), (CUT, b"x")):
            (ready := tmp_path / "ready").write_bytes(data)
            store.put(task_id, "e1", receipt.name, ready)
        assert leases.publish(execution, Completed({"total": 7}, artifacts=[ORDERS, CUT]))
    return task_id


@pytest.fixture
def reports(broker: Broker, tmp_path: Path) -> Reports:
    data = DataSettings(artifacts=FolderAddress(tmp_path / "artifacts"))
    return Reports(Settings(broker=BrokerAddress(broker.url), data=data))


def test_a_file_is_downloaded_completely(reports: Reports, task_id: str, tmp_path: Path) -> None:
    sizes: list[int] = []

    path = reports.download(task_id, "orders.csv", tmp_path / "new" / "folder", on_bytes=sizes.append)

    assert path == tmp_path / "new" / "folder" / "orders.csv"
    assert path.read_bytes() == DATA
    assert sum(sizes) == len(DATA)


def test_a_changed_file_is_refused_and_does_not_replace_an_earlier_download(
    reports: Reports, task_id: str, tmp_path: Path
) -> None:
    (tmp_path / "artifacts" / task_id / "e1" / "orders.csv").write_bytes(b"X" + DATA[1:])
    (tmp_path / "orders.csv").write_text("before")

    with pytest.raises(ArtifactGoneError, match="was changed in the file store"):
        reports.download(task_id, "orders.csv", tmp_path)

    assert (tmp_path / "orders.csv").read_text() == "before"
    assert not list(tmp_path.glob(".*.part"))


def test_a_file_that_no_receipt_names_is_unknown(reports: Reports, task_id: str, tmp_path: Path) -> None:
    with pytest.raises(NoSuchReportError, match="has no file"):
        reports.download(task_id, "../../etc/passwd", tmp_path)


def test_the_command_downloads_all_files_or_the_named_files(
    broker: Broker, task_id: str, tmp_path: Path
) -> None:
    where = {"ConnectionStrings__artifacts": str(tmp_path / "artifacts")}
    whole, some = tmp_path / "all", tmp_path / "some"

    every = command_line_runs.run(broker.url, "download", task_id, "--to", str(whole), **where)
    named = command_line_runs.run(broker.url, "download", task_id, "orders.csv", "--to", str(some), **where)
    none = command_line_runs.run(broker.url, "download", task_id, "no.csv", "--to", str(some), **where)
    full = command_line_runs.run(broker.url, "download", task_id, "--to", "/proc/x", **where)

    assert every.stdout.splitlines() == [str(whole / "orders.csv"), str(whole / "cut.csv")]
    assert "cut.csv does not hold everything: Only the first row." in every.stderr
    assert (whole / "orders.csv").read_bytes() == DATA
    assert (named.exit_code, [path.name for path in some.iterdir()]) == (0, ["orders.csv"])
    assert (none.exit_code, "has no file 'no.csv'" in none.stderr) == (1, True)
    assert (full.exit_code, "/proc/x cannot be written to" in full.stderr) == (1, True)


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_the_command_refuses_a_report_that_has_not_completed(
    broker: Broker, reports: Reports, tmp_path: Path, status: str
) -> None:
    task_id = reports.submit("Quarter", "sales")
    if status == "failed":
        reports.cancel(task_id)

    done = command_line_runs.run(broker.url, "download", task_id, "--to", str(tmp_path / "to"))

    sentence = "it has no files" if status == "failed" else "its files are available once it is completed"
    assert (done.exit_code, sentence in done.stderr) == (1, True)
    assert not (tmp_path / "to").exists()


def test_the_command_waits_for_a_report_and_says_when_there_are_no_files(
    broker: Broker, worker: StartWorker, reports: Reports
) -> None:
    worker()
    task_id = reports.submit("Quarter", "sales")

    done = command_line_runs.run(broker.url, "download", task_id, "--wait")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "The report has no files.\n")


def test_partial_files_of_a_killed_worker_are_removed_soon_after(
    broker: Broker, worker: StartWorker, tmp_path: Path
) -> None:
    where = {"ConnectionStrings__artifacts": str(tmp_path / "artifacts")}
    store = FolderStore(tmp_path / "artifacts")
    queue = worker_processes.Reports(broker.url)
    doomed = worker(REPORTS_SIMULATED_SECONDS="300", **where)
    task_id = queue.submit_sales("Quarter")
    queue.wait_for(task_id, Status.RUNNING)
    execution = cast(bytes, queue.connection.get(keys.lease(task_id))).decode()
    scratch = make_scratch(store, task_id, execution)
    (scratch / "orders.csv").write_bytes(DATA)
    (ready := tmp_path / "ready").write_bytes(DATA)
    store.put(task_id, execution, "orders.csv", ready)
    kept = tmp_path / "artifacts" / task_id / execution
    (kept / ".users.csv.part").write_bytes(b"half")

    doomed.send(signal.SIGKILL)
    worker(REPORTS_SIMULATED_SECONDS="0", **where)

    wait_until(lambda: not kept.exists() and not scratch.exists(), seconds=30, what="the end of its files")
    assert queue.wait_for_end(task_id).status is Status.COMPLETED
    queue.connection.close()
