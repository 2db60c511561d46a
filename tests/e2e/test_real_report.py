"""`make run WAREHOUSE=demo`, as its reader types it: a real report goes in, and its files come out."""

from __future__ import annotations

import csv
import hashlib
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Product

# What is installed here already is not installed again.
MAKE = ("make", "--silent", "--old-file=.venv/installed", f"BIN={Path(sys.executable).parent}")


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "product", WORKERS="1", WEB_CONCURRENCY="1")
    yield product
    if product.process is not None:
        for apphost in psutil.Process(product.process.pid).children():
            apphost.kill()
    product.kill()


def download(product: Product, task_id: str, receipt: dict[str, str]) -> bytes:
    """Take a file away; it must be what its receipt says."""
    path = f"/api/reports/{task_id}/artifacts/{receipt['name']}"
    with urllib.request.urlopen(product.url + path, timeout=10) as answer:
        data = bytes(answer.read())
    assert hashlib.sha256(data).hexdigest() == receipt["sha256"]
    return data


def test_a_sales_report_over_the_demo_data_leaves_its_files(product: Product) -> None:
    product.start(*MAKE, "run", "WAREHOUSE=demo", "DEMO_ORDERS=1000")
    asked = product.call(
        "POST",
        "/api/reports",
        {
            "title": "A year",
            "type": "sales",
            "parameters": {"period": {"preset": "last_365_days"}},
            "formats": ["csv", "pdf"],
        },
    )

    report = product.wait_for_status(asked["task_id"], "completed", "failed")

    assert report["status"] == "completed", report["error"]
    assert report["complete"]
    files = {one["name"]: download(product, report["task_id"], one) for one in report["artifacts"]}
    months = list(csv.DictReader(files["revenue.csv"].decode().splitlines()))
    assert sum(int(month["orders"]) for month in months) == report["result"]["orders"] > 0
    assert files["report.pdf"].startswith(b"%PDF")
    assert (product.folder / "demo-warehouse" / "orders.parquet").exists()
