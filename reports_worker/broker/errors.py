"""redis-py's errors as sentences for users."""

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

T = TypeVar("T")

_RETRY = "Nothing was accepted or changed. Try again in a moment."
_CONTACT = "Nothing was accepted or changed. Contact your administrator."

# The first entry whose class or word matches is used; before Redis 7.0 a script's errors have only the word.
_SENTENCES: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((OutOfMemoryError,), "OOM ", f"The broker is out of memory. {_RETRY}"),
    ((), "MISCONF", f"The broker cannot write to its disk. {_RETRY}"),
    ((), "NOREPLICAS", f"The broker has fewer replicas than it needs. {_RETRY}"),
    ((ReadOnlyError, ClusterDownError), "READONLY", f"The broker is a replica at present. {_RETRY}"),
    ((BusyLoadingError,), "LOADING", f"The broker is loading its data. {_RETRY}"),
    (
        (AuthenticationError, AuthorizationError, NoPermissionError),
        "NOPERM",
        f"The broker refuses the login, or does not allow this command. {_CONTACT}",
    ),
    ((), "WRONGTYPE", f"A key in the broker has a wrong type. {_CONTACT}"),
    ((OpenCircuitError,), "", f"The broker does not answer. {_RETRY}"),
    (
        (RedisTimeoutError,),
        "",
        "The broker does not answer. The request may still be executed: check again in a moment.",
    ),
)


def to_unavailable(error: RedisError) -> BrokerUnavailableError:
    """Return the error of this package for an error of redis-py, with a sentence for users."""
    message = f"The broker cannot be used: {error}"
    for kinds, word, sentence in _SENTENCES:
        if isinstance(error, kinds) or (word and word in str(error)):
            return BrokerUnavailableError(message, sentence=sentence)
    return BrokerUnavailableError(message)


class BrokerGuard:
    """Guards calls of one broker: translates errors, and limits the calls to a broker that hangs."""

    def __init__(self) -> None:
        self._breaker = CircuitBreaker()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        try:
            with self._breaker.guard():
                yield
        except RedisError as error:
            raise to_unavailable(error) from error


def is_wrong_type(error: object) -> bool:
    """Return whether a command failed since a key has another type than the command needs."""
    return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)


def unless_wrong_type(answer: Any, default: T) -> Any | T:
    """Return a command's answer in a pipeline, `default` for a key of the wrong type; raise other errors."""
    if is_wrong_type(answer):
        return default
    if isinstance(answer, RedisError):
        raise answer
    return answer
