"""Values that open pages share."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import count

import pytest
from flask import Flask

from reports_app import create_blueprint
from reports_app.services.container import Services
from reports_app.services.single_flight_cache import (
    FRESH_SECONDS,
    MAX_ENTRIES,
    MAX_STALE_SECONDS,
    SingleFlightCache,
)
from tests.unit.reports_app.report_factory import ReportFactory


class Clock:
    """Stands still until a test moves it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(clock: Clock) -> SingleFlightCache[int]:
    return SingleFlightCache(clock=clock)


def test_a_fresh_value_is_shared_and_a_stale_value_is_refreshed(
    shared: SingleFlightCache[int], clock: Clock
) -> None:
    numbers = count(1)

    first = [shared.get("key", lambda: next(numbers)) for _ in range(3)]
    clock.now = FRESH_SECONDS

    assert first == [1, 1, 1]
    assert shared.get("key", lambda: next(numbers)) == 2
    assert shared.get("other", lambda: 7) == 7


def test_concurrent_callers_share_one_computation(shared: SingleFlightCache[int]) -> None:
    made: list[int] = []
    together = threading.Barrier(4)

    def make() -> int:
        made.append(1)
        return 7

    def ask(_: int) -> int:
        together.wait()
        return shared.get("key", make)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [7] * 4
    assert made == [1]


def test_during_a_refresh_other_callers_get_the_previous_value(
    shared: SingleFlightCache[int], clock: Clock
) -> None:
    shared.get("key", lambda: 1)
    clock.now = FRESH_SECONDS

    def make() -> int:
        with ThreadPoolExecutor(1) as other:
            return 1 + other.submit(shared.get, "key", lambda: 7).result(timeout=20)

    assert shared.get("key", make) == 2


def test_callers_wait_instead_of_getting_a_value_that_is_too_old(
    shared: SingleFlightCache[int], clock: Clock
) -> None:
    shared.get("key", lambda: 1)
    clock.now = MAX_STALE_SECONDS
    others: list[Future[int]] = []

    def make() -> int:
        others.append(ThreadPoolExecutor(1).submit(shared.get, "key", lambda: 7))
        assert wait(others, timeout=0.1).not_done
        return 2

    assert shared.get("key", make) == 2
    assert others[0].result(timeout=20) == 2


def test_a_caller_that_waited_for_a_slow_computation_does_not_repeat_it(
    shared: SingleFlightCache[object], clock: Clock
) -> None:
    slow, others = object(), list[Future[object]]()

    def make() -> object:
        others.append(ThreadPoolExecutor(1).submit(shared.get, "key", object))
        assert wait(others, timeout=0.1).not_done
        clock.now += MAX_STALE_SECONDS
        return slow

    assert shared.get("key", make) is slow
    assert others[0].result(timeout=20) is slow


def test_a_forced_refresh_updates_the_cache(shared: SingleFlightCache[int]) -> None:
    shared.get("key", lambda: 1)

    assert shared.refresh("key", lambda: 2) == 2
    assert shared.get("key", lambda: 3) == 2


def test_a_computation_that_started_earlier_never_replaces_a_later_one(
    shared: SingleFlightCache[int], clock: Clock
) -> None:
    def slow() -> int:
        clock.now = 0.5
        shared.refresh("key", lambda: 2)
        return 1

    assert shared.refresh("key", slow) == 1
    assert shared.get("key", lambda: 3) == 2


def test_a_failed_computation_is_repeated(shared: SingleFlightCache[int]) -> None:
    with pytest.raises(ZeroDivisionError):
        shared.get("key", lambda: 1 // 0)

    assert shared.get("key", lambda: 7) == 7


def test_only_the_newest_keys_are_kept(shared: SingleFlightCache[int]) -> None:
    for key in range(MAX_ENTRIES + 1):
        shared.get(key, lambda: 1)

    assert shared.get(MAX_ENTRIES, lambda: 2) == 1
    assert shared.get(0, lambda: 2) == 2


def test_open_pages_share_a_list_and_each_filter_and_prefix_has_its_own(
    app: Flask, services: Services, factory: ReportFactory, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.shared_lists, "_clock", clock)
    client = app.test_client()
    factory.request("first")
    before = client.get("/reports?partial=1").text
    factory.request("second")

    assert client.get("/reports?partial=1").text == before
    assert client.get("/reports?partial=1&nothing=1").text == before
    assert "second" in client.get("/").text
    assert "second" in client.get("/reports?partial=1").text
    assert "second" in client.get("/reports").text
    assert "second" in client.get("/reports?partial=1&q=second").text
    below = client.get("/reports?partial=1", environ_overrides={"SCRIPT_NAME": "/below"}).text
    assert 'href="/below/reports/' in below
    other = Flask("other")
    other.secret_key = "a secret of its own"
    other.register_blueprint(create_blueprint(services=services), url_prefix="/other")
    assert 'href="/other/reports/' in other.test_client().get("/other/reports?partial=1").text
