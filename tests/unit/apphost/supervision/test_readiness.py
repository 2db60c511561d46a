"""Which instances are ready, what the console shows of it, and in which order all stop."""

from __future__ import annotations

from typing import cast

import pytest

from apphost.logs.console import Console
from apphost.logs.console_log import SecretMask
from apphost.logs.line_writer import LineWriter
from apphost.model.resources import Kind, Resource
from apphost.processes.child_process import ChildProcess
from apphost.supervision.health import Health
from apphost.supervision.instance import Instance
from apphost.supervision.readiness import UNWELL_SECONDS, Readiness, find_unready
from apphost.supervision.snapshots import State
from apphost.supervision.stop_order import StopOrder, sort_groups


class Lines(list[str]):
    """Keeps what a console writes."""

    put = list.append


def make(name: str, *waits: str, resource: str = "", has_probe: bool = False) -> Instance:
    model = Resource(resource or name, Kind.EXECUTABLE, ("true",), waits=waits)
    return Instance(name, model, has_probe, state=State.RUNNING)


@pytest.fixture
def lines() -> Lines:
    return Lines()


def watch(lines: Lines, *instances: Instance) -> Readiness:
    console = Console(cast(LineWriter, lines))
    return Readiness(instances, console=console, mask=SecretMask(["s3cret-token"]))


def test_a_resource_waits_for_each_replica_that_is_not_ready() -> None:
    one, two = (make(f"broker-{n}", resource="broker", has_probe=True) for n in (1, 2))
    other, api = make("other", has_probe=True), make("api", "broker")
    one.health = Health()

    assert find_unready(api.resource, [one, two, other, api]) == ("broker-2",)


def test_an_unhealthy_instance_is_reported_once_after_a_while_and_so_is_its_recovery(lines: Lines) -> None:
    api = make("api", has_probe=True)
    readiness = watch(lines, api)
    api.health = Health("it refuses s3cret-token")

    for now in (100.0, 100.0 + UNWELL_SECONDS / 2, 100.0 + UNWELL_SECONDS, 200.0):
        readiness.report_health(api, now)
    api.health = Health()
    readiness.report_health(api, 300.0)
    readiness.report_health(api, 400.0)

    assert lines == ["api is not healthy: it refuses ********", "api is healthy again"]


def test_a_short_failure_is_not_reported(lines: Lines) -> None:
    api = make("api", has_probe=True)
    readiness = watch(lines, api)

    for now, problem in ((100.0, "busy"), (101.0, ""), (104.0, "busy"), (105.0, "")):
        api.health = Health(problem)
        readiness.report_health(api, now)

    assert lines == []


def test_a_notice_is_reported_when_it_begins_and_when_it_ends(lines: Lines) -> None:
    broker = make("broker")
    readiness = watch(lines, broker)

    for notice in ("the queue is paused", "the queue is paused", ""):
        readiness.report_notice(broker, notice)

    assert lines == ["broker: the queue is paused", "broker: this no longer holds: the queue is paused"]


def test_all_are_reported_ready_once(lines: Lines) -> None:
    broker, api = make("broker"), make("api", has_probe=True)
    readiness = watch(lines, broker, api)

    readiness.report_if_all_ready()
    assert lines == []
    api.health = Health()
    readiness.report_if_all_ready()
    readiness.report_if_all_ready()

    assert [line.partition(" after ")[0] for line in lines] == ["All healthy"]


def test_a_resource_stops_after_those_that_wait_for_it_and_replicas_stop_together() -> None:
    broker, api = make("broker"), make("api", "broker")
    workers = [make(f"worker-{n}", "broker", "api", resource="worker") for n in (1, 2)]
    free = make("free")

    assert sort_groups([broker, api, *workers, free]) == [workers, [free], [api], [broker]]


def test_a_group_stops_when_no_process_of_the_group_before_is_left() -> None:
    broker, api = make("broker"), make("api", "broker")
    api.process = cast(ChildProcess, object())
    order = StopOrder([broker, api])

    assert order.take_next() == [api]
    assert order.take_next() == []
    api.process = None
    assert order.take_next() == [broker]
    assert order.take_next() == []
