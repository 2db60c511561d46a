"""What a broker is told, as it sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from redis import Redis
from redis.exceptions import RedisError


@dataclass
class Command:
    """One command of a client; those that a script gives do not count."""

    at: float
    client: str
    text: str


@dataclass
class Updates:
    """The commands until now."""

    commands: list[Command] = field(default_factory=list)

    def of(self, task_id: str, stage: str) -> list[float]:
        """When this stage of this report was told."""
        return [one.at for one in self._find(task_id, stage)]

    def others_of_its_client(self, task_id: str, stage: str) -> list[str]:
        """What else its client has asked for between the first and the last time."""
        told = self._find(task_id, stage)
        begin, end = self.commands.index(told[0]), self.commands.index(told[-1])
        return [
            one.text for one in self.commands[begin:end] if one.client == told[0].client and one not in told
        ]

    def _find(self, task_id: str, stage: str) -> list[Command]:
        return [one for one in self.commands if f"lease:{task_id}" in one.text and stage in one.text]


@contextmanager
def record_updates(url: str) -> Iterator[Updates]:
    """Record all commands."""
    updates = Updates()
    client = Redis.from_url(url, socket_timeout=60)
    with client, client.monitor() as monitor:  # type: ignore[no-untyped-call]  # redis-py's own
        threading.Thread(target=_record, args=[monitor, updates], daemon=True).start()
        yield updates
        client.connection_pool.disconnect()


def _record(monitor: object, updates: Updates) -> None:
    try:
        for one in monitor.listen():  # type: ignore[attr-defined]
            if one["client_type"] != "lua":
                client = f"{one['client_address']}:{one['client_port']}"
                updates.commands.append(Command(one["time"], client, one["command"]))
    except (RedisError, OSError, ValueError, AttributeError):
        return  # it is over
