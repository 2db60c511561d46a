"""One cluster for all tests here, and the demo data as Parquet, which it reads from this machine's disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql.connect.session import SparkSession

from reports_worker.demo.generator import Demo, write
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse
from reports_worker.warehouse.warehouse import Warehouse
from tests.spark.cluster import Cluster

UNTIL = date(2026, 6, 14)
ORDERS = 3000

Open = Callable[..., Warehouse]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warehouse") / "demo"
    write(Demo(ORDERS, 1, UNTIL.isoformat()), folder)
    return folder


@pytest.fixture(scope="module")
def open_at(cluster: Cluster, demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open warehouses at the cluster, closed afterwards: `parameters` are of the address."""
    opened: list[Warehouse] = []
    scratch = tmp_path_factory.mktemp("scratch")

    def open_one(
        parameters: str = f"folder={demo}", *, seconds: float = 60, server: str | None = None
    ) -> Warehouse:
        address = f"{server or cluster.server.address}/;{parameters}"
        bounds = Bounds(timedelta(seconds=seconds), 512_000_000, scratch, batch=1000)
        opened.append(open_warehouse(address, bounds))
        return opened[-1]

    yield open_one
    for warehouse in opened:
        warehouse.close()


@pytest.fixture(scope="module")
def shared(open_at: Open) -> Warehouse:
    """The demo data, for tests that end no query."""
    return open_at()


@pytest.fixture
def warehouse(open_at: Open) -> Warehouse:
    """The demo data, for one test."""
    return open_at()


@pytest.fixture(scope="session")
def cluster_database(cluster: Cluster) -> Iterator[str]:
    """A database in the server's own catalog, with one table of ten numbers."""
    spark = SparkSession(cluster.server.address)
    spark.sql("CREATE DATABASE shop")
    spark.range(10).write.saveAsTable("shop.numbers")
    yield "shop"
    spark.stop()
