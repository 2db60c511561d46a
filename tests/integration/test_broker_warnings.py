"""What API and workers say at their start of a broker that does not keep what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import StartWorkerOf
from tests.integration.serving import serve

CARELESS = ("--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
WARNINGS = [
    (
        "When its memory is full, the broker evicts any report (maxmemory-policy allkeys-lru). "
        "Set maxmemory-policy noeviction."
    ),
    (
        "The broker keeps no append-only file, so accepted reports are lost when it dies. Set appendonly "
        "yes; a power failure then costs up to 1 s with appendfsync everysec, and nothing with always."
    ),
]


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker", *CARELESS)
    yield broker
    broker.stop()


def count_warnings(output: str) -> list[int]:
    return [output.count(f" WARNING {warning}\n") for warning in WARNINGS]


def test_the_api_warns_once_the_broker_answers_and_says_so_in_its_health(
    careless: Broker, tmp_path: Path
) -> None:
    with serve(careless.url, tmp_path / "site") as site:
        assert site.get("/health").status == 503
        assert count_warnings(site.text) == [0, 0]

        careless.start()

        wait_until(lambda: count_warnings(site.text) == [1, 1], what="a sentence for each warning")
        wait_until(lambda: site.get("/health").status == 200, what="a server that is ready")
        health = site.get("/health")
        assert health.json == {"status": "healthy", "service": "report-api", "warnings": WARNINGS}


# The same check as that of the API.
@pytest.mark.wide
def test_a_worker_warns_at_its_start(careless: Broker, start_worker: StartWorkerOf) -> None:
    careless.start()

    process = start_worker(careless.url).wait_until_ready()

    assert count_warnings(process.output) == [1, 1]


# What is known of such a broker, and the sentence, are those of `test_health`.
@pytest.mark.wide
def test_a_broker_that_does_not_tell_what_it_is_is_served_with_a_warning(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", "--rename-command", "INFO", "").start()
    try:
        with serve(broker.url, tmp_path / "site") as site:
            assert site.get("/health").json == {"status": "healthy", "service": "report-api"}
            wait_until(lambda: "could not be checked either. Allow INFO" in site.text, what="a warning")
    finally:
        broker.stop()
