"""What a broker says of itself, and what of it would break the promise that nothing accepted is lost."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from . import keys
from .errors import unless_wrong_type

log = logging.getLogger(__name__)

OLDEST_SERVER = (6, 2)
CHECKED_EVERY_SECONDS = 60.0
ASKED_AGAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Findings:
    """Why a broker cannot be used, if so, and what else is wrong with it: a sentence each."""

    refusal: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return (self.refusal, *self.warnings) if self.refusal else self.warnings


def inspect(connection: Redis, *, replicas: int = 0) -> Findings:
    """Ask the server what it is, in one round trip; `replicas` is how many it should have."""
    try:
        info: Mapping[str, Any] = connection.info()
    except ResponseError as error:
        return Findings(
            f"The broker does not tell its version (INFO): {error}. Whether it keeps its data and never "
            "evicts could not be checked either. Allow INFO for this user."
        )
    return judge(info, replicas=replicas)


def judge(info: Mapping[str, Any], *, replicas: int = 0) -> Findings:
    """Judge what INFO says."""
    return Findings(_find_refusal(str(info.get("redis_version", ""))), tuple(_find_warnings(info, replicas)))


def _find_refusal(version: str) -> str | None:
    """RQ needs BLMOVE (6.2) to take a job without losing it, and falls back without a word."""
    found = re.match(r"(\d+)\.(\d+)", version, re.ASCII)
    if found is None:
        return f"The broker does not tell its version (INFO): {version!r} is none. Use Redis 6.2 or newer."
    if (int(found[1]), int(found[2])) < OLDEST_SERVER:
        return (
            f"The broker is version {version}; 6.2 or newer is needed, since an older one can lose reports."
        )
    return None


def _find_warnings(info: Mapping[str, Any], replicas: int) -> Iterator[str]:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if info.get("maxmemory") and policy != "noeviction":
        loss = "what is to expire, such as leases and ended reports" if "volatile" in policy else "any report"
        yield (
            f"When its memory is full, the broker throws away {loss} (maxmemory-policy {policy}). "
            "Set maxmemory-policy noeviction."
        )
    if info.get("aof_enabled") == 0:
        yield (
            "The broker keeps no append-only file, so accepted reports are lost when it dies. Set appendonly "
            "yes; a power failure then costs up to 1 s with appendfsync everysec, and nothing with always."
        )
    if info.get("role") == "slave":
        yield (
            "The broker is a replica, which takes no changes: "
            "name the primary, or the sentinels that know it (redis+sentinel://)."
        )
    elif int(info.get("connected_slaves", 0)) < replicas:
        yield (
            f"The broker has {info.get('connected_slaves', 0)} replicas and REPORTS_BROKER_REPLICAS is "
            f"{replicas}: no report is accepted until there are as many."
        )
    if info.get("cluster_enabled"):
        yield "The broker is a node of a Redis Cluster, which RQ does not support. Use a server without it."


def warn_once_it_answers(connection: Redis, *, replicas: int = 0) -> None:
    """Wait for the broker, then log what is wrong with it. For a thread of its own."""
    while True:
        try:
            findings = inspect(connection, replicas=replicas)
        except RedisError:
            time.sleep(ASKED_AGAIN_SECONDS)
        else:
            break
    for sentence in findings.sentences:
        log.warning("%s", sentence)
    connection.close()


class BrokerCheck:
    """Makes sure that the broker answers, and knows what is wrong with it: that is asked once a minute."""

    def __init__(
        self, connection: Redis, *, replicas: int = 0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._replicas = replicas
        self._now = now
        self._asked_at: float | None = None
        self._sentences: tuple[str, ...] = ()

    def __call__(self) -> tuple[tuple[str, ...], bytes | None]:
        """Return what is known to be wrong, and what pauses the queue.

        One round trip. Raises redis-py's errors.
        """
        now = self._now()
        with self._connection.pipeline(transaction=False) as pipeline:
            pipeline.get(keys.SUSPENDED)
            if self._asked_at is None or now - self._asked_at >= CHECKED_EVERY_SECONDS:
                pipeline.info()
            answer, *infos = pipeline.execute(raise_on_error=False)
        suspended = unless_wrong_type(answer, b"")
        for info in infos:
            self._asked_at = now
            is_denied = isinstance(info, Exception)
            self._sentences = () if is_denied else judge(info, replicas=self._replicas).sentences
        return self._sentences, suspended
