"""Demo data in the sizes that are measured: made once, and kept beside the benchmarks or where one says."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.environments import ROOT
from harness.errors import MissingToolError
from harness.ports import free_port
from harness.processes import run_program
from harness.wait import wait_until
from reports_worker.demo.generator import Demo, write
from reports_worker.demo.loading import load

UNTIL = "2026-06-30"
# Names another folder to keep them in, which several checkouts may share.
VARIABLE = "BENCHMARKS_DEMO_DATA"
_KEPT = ROOT / "benchmarks" / ".demo-data"
_SEED = 1
_USER = "postgres"
_SETTINGS = ("listen_addresses=127.0.0.1", "shared_buffers=256MB", "fsync=off", "max_wal_size=4GB")


def make_folder(orders: int, tell: Callable[[str], None]) -> Path:
    """Return the folder of so many orders; the first time, write it."""
    folder = Path(os.environ.get(VARIABLE) or _KEPT).absolute() / f"{orders}-orders"
    if not folder.exists():
        tell(f"Writing demo data of {orders:,} orders, for this time and all later ones")
        write(Demo(orders, _SEED, UNTIL), folder)
    return folder


@contextmanager
def serve_by_postgresql(folder: Path, tell: Callable[[str], None]) -> Iterator[str]:
    """Run a PostgreSQL server of its own with these tables; give its connection string.

    Raises MissingToolError where PostgreSQL is not installed.
    """
    place = Path(tempfile.mkdtemp(prefix="benchmarks-postgresql-"))
    # The server does not run as root.
    shutil.chown(place, _USER)
    try:
        data, port = place / "data", free_port()
        create = [_find("initdb"), "--username=owner", "--auth=trust", "--no-sync", "--encoding=UTF8"]
        as_user = ["runuser", "-u", _USER, "--"]
        subprocess.run(
            [*as_user, *create, "--no-locale", str(data)], check=True, capture_output=True, cwd=place
        )
        options = [
            word for setting in (*_SETTINGS, f"unix_socket_directories={place}") for word in ("-c", setting)
        ]
        serve = [*as_user, _find("postgres"), "-D", str(data), "-p", str(port), *options]
        address = f"postgresql://owner@127.0.0.1:{port}/postgres"
        with run_program(serve, folder=place):
            wait_until(lambda: _answers(address), what="PostgreSQL")
            tell("Loading demo data into PostgreSQL")
            load(folder, address)
            with psycopg.connect(address, autocommit=True) as owner:
                owner.execute("VACUUM ANALYZE")
            yield address
    finally:
        shutil.rmtree(place)


def _find(program: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    if not found:
        raise MissingToolError("PostgreSQL is not installed: apt install postgresql")
    return str(found[-1])


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True
