"""Check the broker's INFO for settings that would break the promise that no accepted report is lost."""

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
RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class Findings:
    """The reason why a broker cannot be used, if any, and warnings about it: a sentence each."""

    refusal: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return (self.refusal, *self.warnings) if self.refusal else self.warnings


def inspect(connection: Redis, *, replicas: int = 0) -> Findings:
    """Inspect the server in one round trip; `replicas` is the number of replicas that it should have."""
    try:
        info: Mapping[str, Any] = connection.info()
    except ResponseError as error:
        return Findings(
            f"The broker does not report its version (INFO): {error}. Persistence and eviction could not be checked "
            "either. Allow INFO for this user."
        )
    return judge(info, replicas=replicas)


def judge(info: Mapping[str, Any], *, replicas: int = 0) -> Findings:
    """Find what is wrong in the answer to INFO."""
    return Findings(_find_refusal(str(info.get("redis_version", ""))), tuple(_find_warnings(info, replicas)))


def _find_refusal(version: str) -> str | None:
    """Check the version: RQ needs BLMOVE (6.2) to take a job without a loss, and falls back without a warning."""
    found = re.match(r"(\d+)\.(\d+)", version, re.ASCII)
    if found is None:
        return (
            f"The broker does not report its version (INFO): {version!r} is not one. Use Redis 6.2 or newer."
        )
    if (int(found[1]), int(found[2])) < OLDEST_SERVER:
        return (
            f"The broker is version {version}; 6.2 or newer is needed, since an older one can lose reports."
        )
    return None


def _find_warnings(info: Mapping[str, Any], replicas: int) -> Iterator[str]:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if info.get("maxmemory") and policy != "noeviction":
        loss = "keys that expire, such as leases and ended reports" if "volatile" in policy else "any report"
        yield (
            f"When its memory is full, the broker evicts {loss} (maxmemory-policy {policy}). "
            "Set maxmemory-policy noeviction."
        )
    if info.get("aof_enabled") == 0:
        yield (
            "The broker keeps no append-only file, so accepted reports are lost when it dies. Set appendonly "
            "yes; a power failure then costs up to 1 s with appendfsync everysec, and nothing with always."
        )
    if info.get("role") == "slave":
        yield (
            "The broker is a replica, which accepts no writes: "
            "set the address of the primary, or of its sentinels (redis+sentinel://)."
        )
    elif int(info.get("connected_slaves", 0)) < replicas:
        yield (
            f"The broker has {info.get('connected_slaves', 0)} replicas and REPORTS_BROKER_REPLICAS is "
            f"{replicas}: no report is accepted until the broker has {replicas} replicas."
        )
    if info.get("cluster_enabled"):
        yield "The broker is a node of a Redis Cluster, which RQ does not support. Use a server without it."


def warn_once_it_answers(connection: Redis, *, replicas: int = 0) -> None:
    """Wait for the broker, then log its warnings. For a thread of its own."""
    while True:
        try:
            findings = inspect(connection, replicas=replicas)
        except RedisError:
            time.sleep(RETRY_SECONDS)
        else:
            break
    for sentence in findings.sentences:
        log.warning("%s", sentence)
    connection.close()


class BrokerCheck:
    """Checks that the broker answers, and once a minute what is wrong with its settings."""

    def __init__(
        self, connection: Redis, *, replicas: int = 0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._replicas = replicas
        self._now = now
        self._inspected_at: float | None = None
        self._sentences: tuple[str, ...] = ()

    def __call__(self) -> tuple[tuple[str, ...], bytes | None]:
        """Return the known warnings, and the value of the key that pauses the queue.

        One round trip. Raises redis-py's errors.
        """
        now = self._now()
        with self._connection.pipeline(transaction=False) as pipeline:
            pipeline.get(keys.SUSPENDED)
            if self._inspected_at is None or now - self._inspected_at >= CHECKED_EVERY_SECONDS:
                pipeline.info()
            answer, *infos = pipeline.execute(raise_on_error=False)
        suspended = unless_wrong_type(answer, b"")
        for info in infos:
            self._inspected_at = now
            is_denied = isinstance(info, Exception)
            self._sentences = () if is_denied else judge(info, replicas=self._replicas).sentences
        return self._sentences, suspended
