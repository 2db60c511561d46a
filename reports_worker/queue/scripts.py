"""The Lua scripts of this package: one for each change of a report in Redis."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from importlib import resources

from redis import Redis

from reports_worker.broker import keys
from reports_worker.broker.script import Script

from .job_hash import Cleared, list_cleared
from .lease_timing import LEASE, MOST_EXECUTIONS, REPETITION, SUSPICION, UNATTENDED
from .stored_entries import LONGEST_FOREIGN, MOST_FOREIGN

# Where the process of the last execution is known to have ended, `process_death` says how.
ABANDONED = (
    f"This report was begun {MOST_EXECUTIONS} times and has no result: the last time its worker died, or lost "
    "the broker. Contact your administrator."
)
NEVER_STARTED = (
    f"Workers took this report from the queue {MOST_EXECUTIONS} times in a row and never started it: its record may "
    "be damaged. Request the report again; if that fails too, contact your administrator."
)
CANCELLED = "This report was cancelled before it was completed."

_SHARED_KEYS = (keys.QUEUED, keys.INTERMEDIATE, keys.STARTED, keys.FINISHED, keys.FAILED, keys.REGISTRY,
                keys.EXPIRY, keys.SUSPECTS, keys.QUEUES, keys.DELIVERIES, keys.SWEEP, keys.FILES)  # fmt: skip


@cache
def read_script(name: str, *, shared: bool = False) -> str:
    """Read `lua/<name>.lua`, after the checks of ids and types, and after the shared part if the script needs it."""
    folder = resources.files(__package__) / "lua"
    parts = ["task_ids", "key_types", *(["shared"] if shared else []), name]
    text = "".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return _write_field_names() + text if shared else text


def _write_field_names() -> str:
    """Write as Lua which fields scripts remove, from the one table of fields."""
    lists = {
        "fields_cleared_by_retry": list_cleared(Cleared.BY_RETRY),
        "fields_cleared_by_end": list_cleared(Cleared.BY_END),
    }
    return "".join(
        f"local {name} = {{{', '.join(repr(field) for field in fields)}}}\n" for name, fields in lists.items()
    )


def load_script(connection: Redis, name: str) -> Script:
    """Load a script that uses no shared keys or settings."""
    return Script(connection, read_script(name))


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
                "never_started": NEVER_STARTED,
                "cancelled": CANCELLED,
                "foreign": keys.FOREIGN,
                "most_foreign": MOST_FOREIGN,
                "longest_foreign": LONGEST_FOREIGN,
            }
        )

    def load(self, *names: str) -> None:
        """Read the files of scripts before they are needed."""
        for name in names:
            if name not in self._scripts:
                self._scripts[name] = Script(self._connection, read_script(name, shared=True))

    def __call__(self, name: str, *arguments: str | bytes | float) -> object:
        """Run `lua/<name>.lua`; one round trip."""
        self.load(name)
        return self._scripts[name](_SHARED_KEYS, (self._settings, *arguments))
