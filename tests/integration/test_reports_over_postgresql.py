"""Reports over a PostgreSQL server: what they count, and those of a worker into a bucket, when either fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from harness.postgresql import PostgreSQL
from harness.proxies.losing import LimitedProxy
from harness.wait import wait_until
from harness.worker_process import StartWorkerOf, is_gone
from reports_worker import Report, Status
from reports_worker.demo.generator import Demo, DemoDataError, write
from reports_worker.demo.loading import load
from reports_worker.settings.data import DataSettings
from reports_worker.warehouse.engine import Bounds
from reports_worker.warehouse.open import open_warehouse
from tests.extent import IS_WIDE, count_examples
from tests.independent_count import cases, compare, read_tables
from tests.integration.buckets import CREDENTIALS, Moto, serve_buckets
from tests.integration.data_places import DataPlace, open_place
from tests.integration.sample_types import write_python, write_sql
from tests.needed_tools import need_postgresql

UNTIL = date(2026, 6, 14)
ORDERS = 500
SLOW = (
    "SELECT count(*) AS n FROM generate_series(1, 20000) a, generate_series(1, 100000) b WHERE a * b % 7 = 1"
)
# It waits after its first rows while there is a file `hold`, and says so by a file `began`.
PACED = """
rows = assignment.warehouse.query(Query("SELECT id FROM orders", native=True))

def give():
    for batch in rows.batches():
        yield from batch
        (HERE.parent / "began").touch()
        while (HERE.parent / "hold").exists():
            time.sleep(0.02)

return Contents({}, tables=[Table("found", "Found", GivenRows(rows.columns, give()))])
"""


@dataclass(frozen=True)
class Lent:
    """A place whose warehouse is a server's and whose files go to a bucket, which `pipe` leads to."""

    place: DataPlace
    server: PostgreSQL
    pipe: LimitedProxy

    def make_small(self, *formats: str) -> Report:
        return self.place.make("small", *formats)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    need_postgresql()
    # pytest's own folders are closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir="/tmp"))
    server = PostgreSQL(folder).create().start()
    try:
        with server.connect() as owner:
            owner.execute("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 30000) i")
            owner.execute("CREATE ROLE reader LOGIN PASSWORD 'reading'")
            owner.execute("GRANT SELECT ON orders TO reader")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with serve_buckets(tmp_path_factory.mktemp("moto")) as moto:
            yield moto


@pytest.fixture(scope="module")
def lent(
    tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf, server: PostgreSQL, moto: Moto
) -> Iterator[Lent]:
    folder = tmp_path_factory.mktemp("lent")
    pipe = LimitedProxy(moto.port)
    with open_place(
        folder,
        start_worker,
        warehouse=server.address(user="reader", password="reading"),
        artifacts=moto.address(port=pipe.port),
        **CREDENTIALS,
    ) as place:
        write_sql(place.types, "small", "SELECT count(*) AS orders FROM orders")
        write_sql(place.types, "slow", SLOW)
        write_python(place.types, "paced", PACED)
        yield Lent(place, server, pipe)


def test_a_report_goes_from_the_server_into_the_bucket(lent: Lent) -> None:
    report = lent.make_small("parquet", "json")

    assert (report.status, report.error) == (Status.COMPLETED, None)
    files = lent.place.read_whole(report)
    assert json.loads(files["report.json"])["tables"][0]["rows"] == [[30000]]


# The same count over the same rows is made for each seed in DuckDB, in every run.
@pytest.mark.parametrize("seed", range(1, count_examples(1, wide=3) + 1))
def test_the_types_give_what_a_count_in_python_gives(seed: int, server: PostgreSQL, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    write(Demo(ORDERS, seed, UNTIL.isoformat()), folder)
    with server.connect() as owner:
        owner.execute(f"CREATE DATABASE seed_{seed}")
    load(folder, server.address(database=f"seed_{seed}"))
    settings = DataSettings(warehouse=server.address(database=f"seed_{seed}"))
    warehouse = open_warehouse(settings.warehouse, Bounds(timedelta(minutes=1), 512_000_000, tmp_path))

    try:
        for case in cases(UNTIL, seed):
            compare(warehouse, read_tables(folder), case)
    finally:
        warehouse.close()

    with pytest.raises(DemoDataError, match="already has a table of this name"):
        load(folder, server.address(database=f"seed_{seed}"))


# A client that is cancelled or killed leaves none there in `test_postgresql`; the cancel is that of any warehouse.
@pytest.mark.wide
def test_a_cancel_ends_the_query_in_the_server(lent: Lent) -> None:
    task_id = lent.place.submit("slow")
    wait_until(lent.server.running_queries, what="the query running")
    making = lent.place.worker.wait_for_job_process()

    lent.place.queue.cancel(task_id)

    wait_until(lambda: not lent.server.running_queries(), seconds=5, what="nothing left in the server")
    wait_until(lambda: is_gone(making), seconds=5, what="the end of the job process")
    assert lent.place.queue.wait_for_end(task_id).reason == "cancelled"


# Both are lost amid the rows in `test_postgresql`, too, without a worker.
@pytest.mark.parametrize("how", [pytest.param("session killed", marks=pytest.mark.wide), "server stopped"])
def test_a_connection_that_is_lost_amid_the_rows_is_told(lent: Lent, how: str) -> None:
    folder = lent.place.types.parent
    (folder / "hold").touch()
    (folder / "began").unlink(missing_ok=True)
    task_id = lent.place.submit("paced")
    wait_until((folder / "began").exists, what="a report amid its rows")

    if how == "session killed":
        kill_sessions(lent.server)
    else:
        lent.server.stop(signal.SIGQUIT)
    (folder / "hold").unlink()
    report = lent.place.queue.wait_for_end(task_id)

    assert (report.status, report.reason) == (Status.FAILED, "warehouse_unavailable")
    assert (
        report.error == "The connection to the warehouse was lost. Try again, or contact your administrator."
    )
    # What is said of a server that does not answer is asked without a worker in `test_postgresql`.
    away = lent.make_small() if IS_WIDE and how == "server stopped" else None
    if how == "server stopped":
        lent.server.start()
    if away is not None:
        assert (away.status, away.reason) == (Status.FAILED, "warehouse_unavailable")
        assert away.error == "The warehouse does not answer. Try again later, or contact your administrator."
    wait_until(lambda: lent.make_small().status is Status.COMPLETED, what="the next report")


def kill_sessions(server: PostgreSQL) -> None:
    """Kill the processes in which the server works for reports."""
    with server.connect() as owner:
        found = owner.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'background-reports'"
        ).fetchall()
    for (pid,) in found:
        os.kill(pid, signal.SIGKILL)


# It ends as an execution whose server is away; the sentence is that of `test_postgresql`.
@pytest.mark.wide
def test_a_refused_login_is_told_without_user_and_password(lent: Lent) -> None:
    with lent.server.connect() as owner:
        owner.execute("ALTER ROLE reader PASSWORD 'another'")
        refused = lent.make_small()
        owner.execute("ALTER ROLE reader PASSWORD 'reading'")

    assert (refused.status, refused.reason) == (Status.FAILED, "warehouse_unavailable")
    assert refused.error == (
        "The warehouse refuses the login. Contact your administrator to check user and password in "
        "ConnectionStrings__warehouse."
    )
    assert lent.make_small().status is Status.COMPLETED


def test_a_bucket_that_is_away_is_told_and_the_worker_lives_on(lent: Lent) -> None:
    lent.pipe.close()

    report = lent.make_small()

    assert (report.status, report.reason) == (Status.FAILED, "storage_unavailable")
    assert report.error is not None
    assert report.error.startswith("The file store is not available.")
    assert not lent.place.worker.has_ended
    scratch = lent.place.store.scratch_root
    wait_until(lambda: not list(scratch.iterdir()), what="the end of what was being written")
