"""A Lua script on the server, called in one round trip."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import cast

from redis import Redis
from redis.exceptions import NoScriptError


class Script:
    """A script that costs one round trip; its text is sent only when the server does not know the script.

    redis-py's own class checks at each call whether its client is a pipeline, and that check is slow.
    """

    def __init__(self, connection: Redis, text: str) -> None:
        self._connection = connection
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, names: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        command = ("EVALSHA", self.sha, len(names), *names, *arguments)
        run = cast(Callable[..., object], self._connection.execute_command)
        try:
            return run(*command)
        except NoScriptError:
            self._connection.script_load(self.text)
            return run(*command)
