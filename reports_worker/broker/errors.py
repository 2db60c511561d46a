"""What redis-py's errors mean, in a sentence for people who know nothing of the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from reports_worker.errors import BrokerUnavailableError

from .circuit_breaker import CircuitBreaker, OpenCircuitError

_NOTHING_DONE = "Nothing was accepted or changed; try again in a moment."
T = TypeVar("T")

_TELL = "Nothing was accepted or changed; tell who runs this."

# The first whose class or word fits; before 7.0 a script's errors carry the word alone.
_SENTENCES: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((OutOfMemoryError,), "OOM ", f"The broker is out of memory. {_NOTHING_DONE}"),
    ((), "MISCONF", f"The broker cannot write to its disk. {_NOTHING_DONE}"),
    ((), "NOREPLICAS", f"The broker has fewer replicas than it needs. {_NOTHING_DONE}"),
    ((ReadOnlyError, ClusterDownError), "READONLY", f"The broker is a replica at present. {_NOTHING_DONE}"),
    ((BusyLoadingError,), "LOADING", f"The broker is loading its data. {_NOTHING_DONE}"),
    (
        (AuthenticationError, AuthorizationError, NoPermissionError),
        "NOPERM",
        f"The broker does not allow this to our user, or does not know the password. {_TELL}",
    ),
    ((), "WRONGTYPE", f"A key of the broker holds something else than reports need. {_TELL}"),
    ((OpenCircuitError,), "", f"The broker does not answer. {_NOTHING_DONE}"),
    (
        (RedisTimeoutError,),
        "",
        "The broker does not answer. What was asked for may still be done: look again in a moment.",
    ),
)


def explain(error: RedisError) -> BrokerUnavailableError:
    """Say what the broker's error means."""
    message = f"The broker cannot be used: {error}"
    for kinds, word, sentence in _SENTENCES:
        if isinstance(error, kinds) or (word and word in str(error)):
            return BrokerUnavailableError(message, sentence=sentence)
    return BrokerUnavailableError(message)


class BrokerGuard:
    """Guards calls of one broker: errors are explained, and one that hangs is asked by few."""

    def __init__(self) -> None:
        self._breaker = CircuitBreaker()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        try:
            with self._breaker.guard():
                yield
        except RedisError as error:
            raise explain(error) from error


def is_wrong_type(error: object) -> bool:
    """Tell whether a command failed since a key holds another type of value than it needs."""
    return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)


def unless_wrong_type(answer: Any, default: T) -> Any | T:
    """Return the answer to one command of a pipeline, `default` for a key of the wrong type; raise its other errors."""
    if is_wrong_type(answer):
        return default
    if isinstance(answer, RedisError):
        raise answer
    return answer
