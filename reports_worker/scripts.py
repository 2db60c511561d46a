"""The Lua scripts of this package, read once and called by name."""

from __future__ import annotations

from functools import cache
from importlib import resources

from redis import Redis
from redis.commands.core import Script


@cache
def read_script(name: str, *, shared: bool = False) -> str:
    """Read `lua/<name>.lua`, with the shared part before it where it needs that."""
    folder = resources.files(__package__) / "lua"
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    return (folder / "shared.lua").read_text(encoding="utf-8") + text if shared else text


def load_script(connection: Redis, name: str, *, shared: bool = False) -> Script:
    """Make a script that costs one round trip; redis-py sends its text when the server does not know it."""
    return connection.register_script(read_script(name, shared=shared))
