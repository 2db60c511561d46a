"""Fixtures for every ring of tests, their order, and the rule that a skipped test fails CI."""

from __future__ import annotations

import gc
import os
import re
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from redis import Redis

from harness.broker import Broker
from tests.extent import IS_WIDE
from tests.order import put_in_order
from tests.own_environment import find_settings

# A shell starts what runs in its background with Ctrl-C ignored, and all programs of the tests would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in find_settings(os.environ):
    del os.environ[_name]

_TASK_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compile each template once for all applications of a run: most tests make an application of their own."""
    base = tmp_path_factory.getbasetemp()
    # The processes of one run have folders of their own beside each other.
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "templates"
    folder.mkdir(exist_ok=True)
    before = Flask.jinja_options
    Flask.jinja_options = {**before, "bytecode_cache": FileSystemBytecodeCache(str(folder))}
    yield
    Flask.jinja_options = before


@pytest.fixture(scope="session")
def session_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One real broker for all tests of a process that do not harm it."""
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    yield broker
    broker.stop()


@pytest.fixture
def broker(session_broker: Broker) -> Broker:
    """The real broker, empty."""
    with session_broker.client() as client:
        client.flushall()
    return session_broker


@pytest.fixture
def redis(broker: Broker) -> Iterator[Redis]:
    """A plain client of the real broker, to look behind the scenes."""
    with broker.client() as client:
        yield client


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a wide run plays, and put those beside each other that wait and that compute."""
    left_out = [item for item in items if item.get_closest_marker("wide") and not IS_WIDE]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    kept = [item for item in items if item not in left_out] if left_out else items
    items[:] = put_in_order(kept, lambda item: Path(item.path).relative_to(config.rootpath).as_posix())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what is collected out of garbage collections, a tenth of the processor time of a run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_unconfigure() -> None:
    # The engine of DuckDB warns at the end about objects that are not released.
    gc.unfreeze()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name tests without the ids made for them: processes that share the tests must name them alike."""
    if isinstance(val, str) and _TASK_ID.search(val):
        return _TASK_ID.sub("task-id", val).encode("unicode_escape").decode("ascii")
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write what no UTF-8 can carry in another way: reports pass between the processes of a run."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode("utf-8")) for name, text in report.sections
    ]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run of CI if a test was skipped."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    if os.environ.get("CI") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
