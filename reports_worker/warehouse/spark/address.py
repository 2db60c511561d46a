"""Where a Spark Connect server is, and what of it is the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

_SCHEME = "sc://"
_OURS = ("database", "folder")


@dataclass(frozen=True)
class SparkPlace:
    """`server` is as Spark Connect takes it, perhaps with a token; tables are of a database or a folder."""

    server: str = field(repr=False)
    database: str | None = None
    folder: str | None = None


def parse_place(text: str) -> SparkPlace:
    """Read `sc://host:port/;name=value;...`: `database` and `folder` are for us, the others Spark Connect's.

    Raises ValueError with a sentence that contains nothing of the value.
    """
    host, _, parameters = text[len(_SCHEME) :].partition("/")
    if not host or (parameters and not parameters.startswith(";")):
        raise ValueError("Spark's address is sc://host:15002, with /;name=value;name=value after it")
    ours: dict[str, str] = {}
    theirs = []
    for part in filter(None, parameters.split(";")):
        name, _, value = part.partition("=")
        if not name or not value:
            raise ValueError("each parameter of a Spark address is name=value; %-encode special characters")
        if name in _OURS:
            ours[name] = unquote(value)
        else:
            theirs.append(part)
    if len(ours) == len(_OURS):
        raise ValueError("Spark's address names either a database or a folder")
    return SparkPlace("/;".join(filter(None, [_SCHEME + host, ";".join(theirs)])), **ours)
