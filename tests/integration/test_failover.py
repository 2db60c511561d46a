"""A primary that dies, and the replica that sentinels put in its place: nobody is started again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from apphost.supervision.health import redis_probe
from harness.broker import Broker
from harness.wait import wait_until
from harness.worker_process import StartWorkerOf, WorkerProcess
from reports_worker import connect
from reports_worker.broker.address import parse_address
from reports_worker.broker.keys import ENDED_CHANNEL
from tests.integration.sentinels import OneSentinel, Sentinels
from tests.integration.serving import Answer, Site, serve

LONGEST_WAIT = 30


@dataclass(frozen=True)
class Aftermath:
    """What became of reports that were being made, or waited, when the primary died, and of a later one."""

    site: Site
    worker: WorkerProcess
    running: str
    waiting: str
    later: str
    told: Answer
    told_after_seconds: float
    url: str


def is_waited_for(sentinels: Sentinels) -> bool:
    with sentinels.client(sentinels.first) as client:
        return bool(client.pubsub_numsub(ENDED_CHANNEL)[0][1])


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorkerOf) -> Iterator[Aftermath]:
    sentinels = Sentinels(tmp_path_factory.mktemp("sentinels"))
    try:
        sentinels.start()
        with serve(sentinels.url, tmp_path_factory.mktemp("site")) as site, ThreadPoolExecutor() as people:
            worker = start_worker(sentinels.url, REPORTS_SIMULATED_SECONDS="2")
            running, waiting = site.submit("running"), site.submit("waiting")
            wait_until(lambda: site.status_of(running) == "running", what="a report that runs")
            sentinels.wait_until_replicated()
            begin = time.monotonic()
            told = people.submit(site.get, f"/api/reports/{running}?wait={LONGEST_WAIT}")
            wait_until(lambda: is_waited_for(sentinels), what="a request that waits")

            sentinels.first.kill()

            wait_until(lambda: site.get("/health").status == 200, what="a new primary")
            later = site.submit("later")
            told_seconds = (told.result(), time.monotonic() - begin)
            wait_until(lambda: site.status_of(later) == "completed", what="the end of the last report")
            yield Aftermath(site, worker, running, waiting, later, *told_seconds, sentinels.url)
    finally:
        sentinels.stop()


def test_what_was_accepted_is_made_after_a_failover(aftermath: Aftermath) -> None:
    for task_id in (aftermath.running, aftermath.waiting, aftermath.later):
        assert aftermath.site.status_of(task_id) == "completed"
    assert len(aftermath.site.get("/api/reports").json) == 3


def test_api_and_worker_follow_to_the_new_primary_without_being_started_again(aftermath: Aftermath) -> None:
    assert aftermath.site.process.poll() is None
    assert not aftermath.worker.has_ended
    assert "Traceback" not in aftermath.site.text + aftermath.worker.output


def test_who_waited_for_a_report_over_a_failover_is_told_of_its_end(aftermath: Aftermath) -> None:
    assert aftermath.told.json["status"] == "completed"
    assert aftermath.told_after_seconds < LONGEST_WAIT


def test_the_apphost_asks_the_new_primary_how_it_is(aftermath: Aftermath) -> None:
    health = redis_probe(aftermath.url, queue_key="rq:queue:reports")()

    assert health.is_healthy, health.problem
    assert health.figures["queue length"] == "0"


def test_a_command_that_got_no_answer_is_sent_again_to_the_new_primary(tmp_path: Path) -> None:
    old, new = Broker(tmp_path / "old").start(), Broker(tmp_path / "new").start()
    sentinel = OneSentinel(tmp_path / "sentinel")
    try:
        sentinel.start(old)
        with connect(parse_address(sentinel.url)) as client:
            client.ping()
            os.kill(old.pid, signal.SIGSTOP)
            sentinel.name_as_primary(new)

            assert client.info("server")["tcp_port"] == new.port
            client.connection_pool.disconnect()
    finally:
        sentinel.stop()
        old.resume()
        old.stop()
        new.stop()
