"""Names of the queue that stand in more than one language or package, compared: keys, their order, and statuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rq.job import JobStatus

from apphost.reports import describe_app
from apphost.settings import Settings
from reports_worker.broker import keys
from reports_worker.domain.report import CallbackStatus, Reason
from reports_worker.queue import scripts

LUA = Path(scripts.__file__).parent / "lua"
SCRIPTS = sorted(LUA.glob("*.lua"))
# RQ's statuses that the scripts know; every other one is a way of waiting.
STATUSES = {JobStatus.QUEUED, JobStatus.STARTED, JobStatus.FINISHED, JobStatus.FAILED}


def read(path: Path) -> str:
    """Read a script without its comments."""
    return re.sub(r"--.*", "", path.read_text(encoding="utf-8"))


def find_shared_keys() -> list[str]:
    """Find the names that `shared.lua` gives to KEYS, in their order."""
    names = dict(re.findall(r"(\w+) = KEYS\[(\d+)\]", read(LUA / "shared.lua")))
    return [name for name, _ in sorted(names.items(), key=lambda pair: int(pair[1]))]


def test_the_shared_script_names_its_keys_in_the_order_in_which_they_are_sent() -> None:
    sent = [getattr(keys, name.upper()) for name in find_shared_keys()]

    assert sent == [*scripts._SHARED_KEYS]


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_script_compares_and_writes_known_statuses_alone(path: Path) -> None:
    text = read(path)
    compared = re.findall(r"(?:\bstatus|'status'\)\[1\]|values\[1\]) *[=~]= *'(\w+)'", text)
    written = re.findall(r"'HSET'[^\n]*?'status', *'(\w+)'", text)
    ended = re.findall(r"\bfinish\(\w+, *'(\w+)'", text)

    assert {*compared} <= {*STATUSES, *CallbackStatus}
    assert {*written, *ended} <= STATUSES


def test_the_scripts_know_each_of_these_statuses() -> None:
    words = {word for path in SCRIPTS for word in re.findall(r"'(\w+)'", read(path))}

    assert words >= STATUSES


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_reason_that_a_script_writes_is_one_of_the_product(path: Path) -> None:
    assert set(re.findall(r"{'reason', *'(\w+)'", read(path))) <= set(Reason)


def test_the_apphost_watches_the_keys_of_the_queue() -> None:
    application = describe_app(Settings(), {}, "a secret key")

    broker = next(one for one in application.resources if one.name == "broker")
    assert (broker.queue_key, broker.pause_key) == (keys.QUEUED, keys.SUSPENDED)
