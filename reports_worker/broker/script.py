"""A Lua script on the server, called in one round trip."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from redis import Redis
from redis.exceptions import NoScriptError

T = TypeVar("T")


class Script:
    """A script that costs one round trip; its text is sent only when the server does not know the script.

    redis-py's own class checks at each call whether its client is a pipeline, and that check is slow.
    """

    def __init__(self, connection: Redis, text: str) -> None:
        self._connection = connection
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, names: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        run = cast(Callable[..., object], self._connection.execute_command)
        return self._run_loaded(lambda: run("EVALSHA", self.sha, len(names), *names, *arguments))

    def run_and_wait(
        self,
        names: Sequence[str],
        arguments: Sequence[str | bytes | float],
        *,
        replicas: int,
        milliseconds: int,
    ) -> tuple[object, int]:
        """Run the script and wait for replicas of the broker in the same round trip.

        Returns what the script returns, and how many replicas have its changes.
        """

        def run() -> tuple[object, int]:
            with self._connection.pipeline(transaction=False) as pipeline:
                pipeline.evalsha(self.sha, len(names), *names, *arguments)
                pipeline.wait(replicas, milliseconds)
                result, confirmed = pipeline.execute()
            return result, confirmed

        return self._run_loaded(run)

    def _run_loaded(self, run: Callable[[], T]) -> T:
        """Run the script, and once more where the server does not know it yet."""
        try:
            return run()
        except NoScriptError:
            self._connection.script_load(self.text)
            return run()
