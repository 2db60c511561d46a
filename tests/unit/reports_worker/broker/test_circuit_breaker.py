"""A broker that hangs gets one call at a time; a broker that answers or refuses at once gets all calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from redis.exceptions import RedisError

from harness.wait import wait_until
from reports_worker.broker.circuit_breaker import (
    PAUSE_SECONDS,
    SLOW_SECONDS,
    CircuitBreaker,
    OpenCircuitError,
)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds

    def pass_and_raise(self, seconds: float, error: Exception) -> None:
        self.seconds += seconds
        raise error


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(now=clock)


def fail(breaker: CircuitBreaker, clock: Clock, *, after: float = SLOW_SECONDS) -> None:
    """Make a call that fails after so many seconds."""
    with pytest.raises(RedisError, match="no answer"), breaker.guard():
        clock.pass_and_raise(after, RedisError("no answer"))


def succeed(breaker: CircuitBreaker) -> bool:
    """Make a call that succeeds, if it is let through."""
    try:
        with breaker.guard():
            return True
    except OpenCircuitError:
        return False


def test_a_failure_that_took_long_lets_nothing_through_for_a_pause(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, clock)

    assert not succeed(breaker)
    clock.seconds += PAUSE_SECONDS / 2
    assert not succeed(breaker)
    clock.seconds += PAUSE_SECONDS / 2
    assert succeed(breaker)
    assert succeed(breaker)


def test_a_failure_at_once_changes_nothing(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, clock, after=0.01)

    assert succeed(breaker)


def test_an_error_that_is_not_the_brokers_changes_nothing(breaker: CircuitBreaker, clock: Clock) -> None:
    with pytest.raises(KeyError), breaker.guard():
        clock.pass_and_raise(SLOW_SECONDS, KeyError())

    assert succeed(breaker)


def test_a_trial_that_fails_begins_another_pause(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, clock)
    clock.seconds += PAUSE_SECONDS

    fail(breaker, clock)

    assert not succeed(breaker)
    clock.seconds += PAUSE_SECONDS
    assert succeed(breaker)


def test_a_trial_that_is_refused_at_once_ends_the_pauses(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, clock)
    clock.seconds += PAUSE_SECONDS

    fail(breaker, clock, after=0)

    assert succeed(breaker)


def test_a_trial_that_ends_otherwise_is_not_the_last(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, clock)
    clock.seconds += PAUSE_SECONDS

    with pytest.raises(KeyError), breaker.guard():
        raise KeyError

    assert succeed(breaker)


def test_of_many_at_once_one_tries(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, clock)
    clock.seconds += PAUSE_SECONDS
    together, release = Barrier(8), Event()
    refused: list[bool] = []

    def try_it() -> bool:
        together.wait(10)
        try:
            with breaker.guard():
                return release.wait(10)
        except OpenCircuitError:
            refused.append(True)
            return False

    with ThreadPoolExecutor(8) as people:
        outcomes = [people.submit(try_it) for _ in range(8)]
        wait_until(lambda: len(refused) == 7, what="seven that are refused")
        release.set()

    assert sum(outcome.result() for outcome in outcomes) == 1
