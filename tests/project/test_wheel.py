"""The wheel, installed somewhere else, is the whole product."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from email import message_from_string
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.client import fetch, is_healthy
from harness.ports import free_port
from harness.wait import wait_until
from reports_worker import __version__
from tests.needed_tools import need_program

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a clean export, and unpack it where nothing of the checkout is."""
    need_program("git", package="git")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    # As pip does it, in one process instead of three; and Python compiles what is imported alone.
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, folder], cwd=source, check=True, stdout=subprocess.DEVNULL)
    wheel = next(folder.glob("*.whl"))
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--no-deps", "--no-compile", "--target", site, wheel], check=True)
    return site


def test_the_wheel_serves_pages_and_static_files_elsewhere(
    installed: Path, broker: Broker, tmp_path: Path
) -> None:
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "BROKER_URI": broker.url,
        "PORT": str(port),
        "PYTHONPATH": os.pathsep.join([str(installed), sysconfig.get_path("purelib")]),
    }
    command = [sys.executable, "-P", "-m", "reports_app"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, start_new_session=True) as server:
        try:
            wait_until(lambda: is_healthy(port), what="the installed wheel's API")

            page = fetch(port, "/")
            style = fetch(port, "/static/css/reports.css")
            script = fetch(port, "/static/js/live.js")
        finally:
            server.terminate()
            server.wait(15)

    assert "Generate report" in page
    assert ".card" in style
    assert "data-live" in script


def test_the_wheel_holds_the_scripts_that_redis_runs(installed: Path) -> None:
    scripts = {path.name for path in (installed / "reports_worker" / "queue" / "lua").glob("*.lua")}

    assert scripts == {path.name for path in (ROOT / "reports_worker" / "queue" / "lua").glob("*.lua")}
    assert scripts


def test_the_wheel_names_licences_version_and_command(installed: Path) -> None:
    (about,) = installed.glob("background_reports-*.dist-info")
    metadata = message_from_string((about / "METADATA").read_text(encoding="utf-8"))

    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "MIT AND OFL-1.1"
    for file in metadata.get_all("License-File", []):
        assert (about / "licenses" / file).read_bytes() == (ROOT / file).read_bytes()
    assert "reports = reports_worker.__main__:main" in (about / "entry_points.txt").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("package", ["apphost", "reports_app", "reports_worker"])
def test_type_checkers_read_the_types_of_the_wheel(installed: Path, package: str) -> None:
    assert (installed / package / "py.typed").is_file()


def test_the_command_of_the_wheel_is_that_of_the_module(installed: Path, tmp_path: Path) -> None:
    environ = {"PYTHONPATH": os.pathsep.join([str(installed), sysconfig.get_path("purelib")])}

    done = subprocess.run(
        [sys.executable, installed / "bin" / "reports", "--help"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.startswith("Usage: reports [OPTIONS] COMMAND")
