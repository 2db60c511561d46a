"""The broker's INFO, and the warnings about it."""

from __future__ import annotations

from typing import Any

import pytest
from fakeredis import FakeServer, FakeStrictRedis
from redis.exceptions import RedisError

from harness.broker import Broker
from reports_worker.broker.health import CHECKED_EVERY_SECONDS, BrokerCheck, inspect, judge

GOOD: dict[str, Any] = {
    "redis_version": "7.0.15",
    "maxmemory": 0,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "role": "master",
    "connected_slaves": 0,
    "cluster_enabled": 0,
}


def test_a_good_broker_is_worth_no_word() -> None:
    assert judge(GOOD).sentences == ()
    assert judge(GOOD | {"connected_slaves": 2}, replicas=2).sentences == ()
    assert judge(GOOD | {"maxmemory": 1000}).sentences == ()
    assert judge(GOOD | {"maxmemory_policy": "allkeys-lru"}).sentences == ()


@pytest.mark.parametrize("version", ["6.2.0", "7.0.15", "7.2.4", "8.0", "255.255.255"])
def test_a_server_of_our_time_is_taken(version: str) -> None:
    assert judge(GOOD | {"redis_version": version}).refusal is None


@pytest.mark.parametrize("version", ["3.2.12", "5.0.9", "6.0.16"])
def test_a_server_that_can_lose_reports_is_refused(version: str) -> None:
    assert judge(GOOD | {"redis_version": version}).refusal == (
        f"The broker is version {version}; 6.2 or newer is needed, since an older one can lose reports."
    )


@pytest.mark.parametrize("info", [{}, {"redis_version": ""}, {"redis_version": "unstable"}])
def test_a_server_without_a_version_is_refused(info: dict[str, Any]) -> None:
    refusal = judge(info).refusal

    assert refusal is not None
    assert refusal.startswith("The broker does not report its version")


WARNED_OF = {
    "allkeys-lru": (
        {"maxmemory": 1, "maxmemory_policy": "allkeys-lru"},
        "any report (maxmemory-policy allkeys-lru). Set maxmemory-policy noeviction.",
    ),
    "volatile-ttl": (
        {"maxmemory": 1, "maxmemory_policy": "volatile-ttl"},
        "keys that expire, such as leases and ended reports (maxmemory-policy volatile-ttl). ",
    ),
    "no append-only file": ({"aof_enabled": 0}, "lost when it dies. Set appendonly yes; a power failure"),
    "a replica": (
        {"role": "slave"},
        "The broker is a replica, which accepts no writes: set the address of the primary",
    ),
    "a cluster": ({"cluster_enabled": 1}, "a Redis Cluster, which RQ does not support"),
    "too few replicas": ({"connected_slaves": 0}, "0 replicas and REPORTS_BROKER_REPLICAS is 1"),
}


@pytest.mark.parametrize(("change", "words"), WARNED_OF.values(), ids=WARNED_OF.keys())
def test_a_setting_that_endangers_reports_gives_one_warning_with_the_remedy(
    change: dict[str, Any], words: str
) -> None:
    wanted = {"connected_slaves": 1} | change

    findings = judge(GOOD | wanted, replicas=1)

    assert findings.refusal is None
    assert len(findings.warnings) == 1
    assert words in findings.warnings[0]


def test_a_server_without_info_is_refused_with_what_could_not_be_checked() -> None:
    # fakeredis has no INFO.
    refusal = inspect(FakeStrictRedis()).refusal

    assert refusal is not None
    assert "could not be checked either. Allow INFO for this user." in refusal


def test_a_server_that_does_not_answer_is_no_finding() -> None:
    server = FakeServer()
    server.connected = False

    with pytest.raises(RedisError):
        inspect(FakeStrictRedis(server=server))


def test_a_real_server_is_asked_and_asked_again_after_a_while(broker: Broker) -> None:
    seconds = [0.0]
    with broker.client() as client:
        broker_check = BrokerCheck(client, now=lambda: seconds[0])

        def check() -> tuple[str, ...]:
            return broker_check()[0]

        assert check() == ()

        client.config_set("appendonly", "no")
        try:
            assert check() == ()
            seconds[0] += CHECKED_EVERY_SECONDS
            (warning,) = check()
        finally:
            client.config_set("appendonly", "yes")

        assert warning.startswith("The broker keeps no append-only file")
        assert check() == (warning,)
        seconds[0] += CHECKED_EVERY_SECONDS
        assert check() == ()


def test_a_server_that_forbids_info_is_well_all_the_same() -> None:
    assert BrokerCheck(FakeStrictRedis())() == ((), None)
