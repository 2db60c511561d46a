"""A report over Spark, from the question to its files, by a worker as a user starts it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from harness.broker import Broker
from harness.worker_process import OUR_COMMAND, WorkerProcess
from reports_worker import Reports, Status
from reports_worker.authoring import DateRange
from reports_worker.settings.core import Settings
from tests.spark.cluster import Cluster


def test_a_worker_makes_a_report_over_spark(
    cluster: Cluster, demo: Path, broker: Broker, tmp_path: Path
) -> None:
    environ = {
        "PATH": "/usr/bin:/bin",
        "ConnectionStrings__broker": broker.url,
        "ConnectionStrings__warehouse": f"{cluster.server.address}/;folder={demo}",
        "ConnectionStrings__artifacts": str(tmp_path / "artifacts"),
    }
    worker = WorkerProcess(OUR_COMMAND, broker.url, environ, tmp_path / "worker.log")
    try:
        reports = Reports(Settings.from_environ(environ))
        period = DateRange(date(2026, 3, 1), date(2026, 5, 31))
        task_id = reports.submit("Spring", "sales", parameters={"period": period})
        report = reports.wait(task_id, timeout=timedelta(seconds=90))

        assert (report.status, report.error) == (Status.COMPLETED, None), worker.output
        assert report.result
        assert report.result["orders"] > 0
        assert {receipt.name for receipt in report.artifacts} >= {"revenue.csv", "top_products.csv"}
    finally:
        worker.end()
