"""How a query on Spark ends before its time: cancelled, too long, its client gone, its server gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.ports import free_port
from harness.wait import wait_until
from reports_worker.warehouse.errors import (
    WarehouseCancelledError,
    WarehouseTimeoutError,
    WarehouseUnavailableError,
)
from reports_worker.warehouse.warehouse import Query, Warehouse
from tests.spark.cluster import Cluster
from tests.spark.conftest import Open

ENDLESS = Query("SELECT SUM(SQRT(id)) FROM RANGE(0, 100000000000000, 1, 100)", native=True)
# Many small parts: each is sent as it comes.
STREAM = Query("SELECT id, id + 1 FROM RANGE(0, 1000000000, 1, 10000)", native=True)
CLIENT = """
import sys
from datetime import timedelta
from pathlib import Path
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse
from reports_worker.warehouse.warehouse import Query

bounds = Bounds(timedelta(minutes=5), 512_000_000, Path(sys.argv[3]))
warehouse = open_warehouse(sys.argv[1], bounds)
warehouse.fetch(Query(sys.argv[2], native=True))
"""


def _run(warehouse: Warehouse, ends: list[BaseException]) -> threading.Thread:
    def fetch() -> None:
        try:
            warehouse.fetch(ENDLESS)
        except BaseException as error:
            ends.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    return thread


def _asked(cluster: Cluster) -> bool:
    """Tell whether a query of SQL computes; its planning is over then, and listing a folder's files too."""
    return any(
        "sql {" in job["description"] and job["numActiveTasks"] for job in cluster.server.running_jobs()
    )


def test_a_cancel_reaches_the_cluster(cluster: Cluster, warehouse: Warehouse) -> None:
    ends: list[BaseException] = []
    thread = _run(warehouse, ends)
    wait_until(lambda: _asked(cluster), seconds=60, what="the job on the cluster")

    warehouse.cancel()

    thread.join(30)
    assert [type(end) for end in ends] == [WarehouseCancelledError]
    wait_until(lambda: not cluster.server.running_jobs(), seconds=30, what="the end of the job")
    with pytest.raises(WarehouseCancelledError):
        warehouse.fetch("SELECT 1")


def test_a_cancel_before_the_query_has_begun_ends_it_too(warehouse: Warehouse) -> None:
    rows = warehouse.query(ENDLESS)

    warehouse.cancel()

    with pytest.raises(WarehouseCancelledError):
        list(rows.batches())


def test_a_cancel_between_batches_ends_the_stream(cluster: Cluster, warehouse: Warehouse) -> None:
    batches = warehouse.query(STREAM).batches()
    next(iter(batches))

    warehouse.cancel()

    with pytest.raises(WarehouseCancelledError):
        list(batches)
    wait_until(lambda: not cluster.server.running_jobs(), seconds=30, what="the end of the job")


def test_a_query_ends_when_its_time_is_over(cluster: Cluster, open_at: Open) -> None:
    warehouse = open_at(seconds=20)

    with pytest.raises(WarehouseTimeoutError, match="20 seconds"):
        warehouse.fetch(ENDLESS)
    wait_until(lambda: not cluster.server.running_jobs(), seconds=30, what="the end of the job")


def test_a_query_whose_client_is_killed_ends(cluster: Cluster, demo: Path, tmp_path: Path) -> None:
    arguments = [f"{cluster.server.address}/;folder={demo}", ENDLESS.sql, str(tmp_path)]
    client = subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _asked(cluster), seconds=60, what="the job on the cluster")
    finally:
        client.kill()
        client.wait()

    wait_until(lambda: not cluster.server.running_jobs(), seconds=60, what="the end of the job")


def test_a_server_that_is_not_there_is_said_at_once(open_at: Open) -> None:
    with pytest.raises(WarehouseUnavailableError, match="does not answer"):
        open_at(server=f"sc://127.0.0.1:{free_port()}")


def test_a_folder_that_is_not_there_is_said(open_at: Open, tmp_path: Path) -> None:
    with pytest.raises(WarehouseUnavailableError, match="folder"):
        open_at(f"folder={tmp_path / 'nowhere'}")


def test_a_server_killed_while_rows_come_is_said(cluster: Cluster, open_at: Open) -> None:
    """Last of all: what the others had at the server is gone with it."""
    warehouse = open_at()
    batches = warehouse.query(STREAM).batches()
    next(iter(batches))

    cluster.server.kill()

    with pytest.raises(WarehouseUnavailableError, match="connection was lost"):
        list(batches)
    with pytest.raises(WarehouseUnavailableError):
        warehouse.fetch("SELECT 1")
    cluster.server.start()
    assert open_at().fetch("SELECT 1") == [(1,)]
