"""Health probes of resources, each on a thread of its own, which sends the result to the supervisor."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apphost.broker.client import make_client
from apphost.model.resources import HttpHealthCheck
from apphost.processes.ports import LOOPBACK

if TYPE_CHECKING:
    from redis import Redis

QUICK_SECONDS = 0.15
STEADY_SECONDS = 2.0
PROBE_SECONDS = 2.0
MOST_BYTES = 1000


@dataclass(frozen=True)
class Health:
    """The result of a probe: healthy if `problem` is empty; `figures` and `notice` are for people."""

    problem: str = ""
    figures: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""

    @property
    def is_healthy(self) -> bool:
        return not self.problem


Probe = Callable[[], Health]


def http_probe(port: int, check: HttpHealthCheck, *, seconds: float = PROBE_SECONDS) -> Probe:
    """GET the path and compare the status; the problem quotes the `reason` of another response."""

    def probe() -> Health:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=seconds)
        try:
            connection.request("GET", check.path, headers={"Host": f"localhost:{port}"})
            answer = connection.getresponse()
            if answer.status == check.status_code:
                return Health()
            return Health(f"GET {check.path} answered {answer.status}{_read_reason(answer)}")
        except OSError as error:
            return Health(f"GET {check.path}: {error}")
        except http.client.HTTPException as error:
            return Health(f"GET {check.path}: no HTTP answer ({type(error).__name__})")
        finally:
            connection.close()

    return probe


def _read_reason(answer: http.client.HTTPResponse) -> str:
    try:
        reason = json.loads(answer.read(MOST_BYTES))["reason"]
    except (ValueError, LookupError, TypeError):
        return ""
    return f": {reason}" if isinstance(reason, str) and reason.isprintable() else ""


def redis_probe(url: str, *, queue_key: str | None, pause_key: str | None = None) -> Probe:
    """PING, the figures of INFO, and whether the queue is paused."""
    import redis  # noqa: PLC0415 - takes 0.2 s: loaded on the probe's thread, while the server starts

    # The prober repeats its requests: a client that tries four times would report too late.
    client = make_client(url, timeout_seconds=PROBE_SECONDS)

    def probe() -> Health:
        try:
            client.ping()
        except (redis.RedisError, TypeError, ValueError) as error:
            # TypeError and ValueError stand for an option in the URL that the client does not know.
            return Health(f"PING: {error}")
        figures, paused = read_figures(client, queue_key), read_pause(client, pause_key)
        if not paused:
            return Health(figures=figures)
        return Health(figures={**figures, "queue": paused}, notice=f"the queue is {paused}")

    return probe


def read_figures(client: Redis, queue_key: str | None) -> dict[str, str]:
    """Read figures for people; none if the server forbids INFO to this user."""
    import redis  # noqa: PLC0415 - see redis_probe

    try:
        info: Any = client.info()
        return describe_info(info, client.llen(queue_key) if queue_key else None)
    except redis.RedisError:
        # The server answers PING, so it is healthy; an external server may forbid INFO.
        return {}


def read_pause(client: Redis, pause_key: str | None) -> str:
    """Return `paused`, with the text of the key; nothing if the queue is not paused."""
    import redis  # noqa: PLC0415 - see redis_probe

    try:
        value: Any = client.get(pause_key) if pause_key else None
    except redis.RedisError:
        return ""
    if value is None:
        return ""
    words = value.decode(errors="replace")
    is_sentence = words.startswith("since ") and words.isprintable() and len(words) < MOST_BYTES
    return f"paused {words}" if is_sentence else "paused"


def describe_info(info: Mapping[str, Any], queue_length: object) -> dict[str, str]:
    """Choose the figures of INFO that people need."""
    keys = sum(value["keys"] for name, value in info.items() if name.startswith("db") and "keys" in value)
    figures = {
        "version": info.get("valkey_version") or info.get("redis_version", "?"),
        "clients": info.get("connected_clients", "?"),
        "memory": info.get("used_memory_human", "?"),
        "commands/s": info.get("instantaneous_ops_per_sec", "?"),
        "keys": keys,
    }
    if queue_length is not None:
        figures["queue length"] = queue_length
    return {name: str(value) for name, value in figures.items()}


class Prober:
    """Probes one resource repeatedly: often until the resource is healthy, then at longer intervals."""

    def __init__(self, make_probe: Callable[[], Probe], on_health: Callable[[Prober, Health], None]) -> None:
        self._make_probe = make_probe
        self._on_health = on_health
        self._stopped = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        probe = self._make_probe()
        pause = 0.0
        while not self._stopped.wait(pause):
            health = probe()
            if not self._stopped.is_set():
                self._on_health(self, health)
            pause = STEADY_SECONDS if health.is_healthy else QUICK_SECONDS
