"""The Lua scripts of this package: each change of a report in Redis is one of them."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from importlib import resources

from redis import Redis
from redis.commands.core import Script

from . import keys

LEASE = timedelta(seconds=12)
SUSPICION = timedelta(seconds=5)
# Leases that were held before such a pause have nearly run out after it, or altogether.
UNATTENDED = timedelta(seconds=8)
# Longer than a client tries to send a change of which it did not hear.
REPETITION = timedelta(seconds=30)
MOST_EXECUTIONS = 4
ABANDONED = (
    f"The worker that made this report died, {MOST_EXECUTIONS} times in a row. "
    "It may need more memory than there is: ask for less, or tell who runs this."
)
CANCELLED = "This report was cancelled before it was completed."

_SHARED_KEYS = (keys.QUEUED, keys.INTERMEDIATE, keys.STARTED, keys.FINISHED, keys.FAILED, keys.REGISTRY,
                keys.EXPIRY, keys.SUSPECTS, keys.QUEUES, keys.DELIVERIES, keys.SWEEP)  # fmt: skip


@cache
def read_script(name: str, *, shared: bool = False) -> str:
    """Read `lua/<name>.lua`, with the shared part before it where it needs that."""
    folder = resources.files(__package__) / "lua"
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    return (folder / "shared.lua").read_text(encoding="utf-8") + text if shared else text


def load_script(connection: Redis, name: str) -> Script:
    """Make a script that costs one round trip; redis-py sends its text when the server does not know it."""
    return connection.register_script(read_script(name))


class SharedScripts:
    """The scripts that share keys, limits and sentences. A call raises redis-py's errors."""

    def __init__(self, connection: Redis, *, retention: timedelta) -> None:
        self._connection = connection
        self._scripts: dict[str, Script] = {}
        self._settings = json.dumps(
            {
                "job": keys.JOB_PREFIX,
                "lease": keys.LEASE_PREFIX,
                "execution": keys.EXECUTION_PREFIX,
                "executions": keys.EXECUTIONS_PREFIX,
                "worker": keys.WORKER_PREFIX,
                "ended": keys.ENDED_CHANNEL,
                "suspended": keys.SUSPENDED,
                "deleted": keys.DELETED_PREFIX,
                "deleted_seconds": int(REPETITION.total_seconds()),
                "lease_ms": int(LEASE / timedelta(milliseconds=1)),
                "retention": int(retention.total_seconds()),
                "most_executions": MOST_EXECUTIONS,
                "suspicion_seconds": SUSPICION.total_seconds(),
                "unattended_seconds": UNATTENDED.total_seconds(),
                "abandoned": ABANDONED,
                "cancelled": CANCELLED,
            }
        )

    def load(self, *names: str) -> None:
        """Read the files of scripts before they are needed."""
        for name in names:
            if name not in self._scripts:
                self._scripts[name] = self._connection.register_script(read_script(name, shared=True))

    def __call__(self, name: str, *arguments: str | float) -> object:
        """Run `lua/<name>.lua`; one round trip."""
        self.load(name)
        return self._scripts[name](keys=_SHARED_KEYS, args=(self._settings, *arguments))
