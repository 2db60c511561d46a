"""The address of a Spark Connect server, and the database or folder that is the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

_SCHEME = "sc://"
_OWN_PARAMETERS = ("database", "folder")


@dataclass(frozen=True)
class SparkPlace:
    """`server` is in Spark Connect's form, and may have a token; the tables are in a database or a folder."""

    server: str = field(repr=False)
    database: str | None = None
    folder: str | None = None


def parse_place(text: str) -> SparkPlace:
    """Parse `sc://host:port/;name=value;...`: all parameters but `database` and `folder` are for Spark Connect.

    Raises ValueError with a message that contains no part of the value.
    """
    host, _, parameters = text[len(_SCHEME) :].partition("/")
    if not host or (parameters and not parameters.startswith(";")):
        raise ValueError("Spark's address is sc://host:15002, with /;name=value;name=value after it")
    own: dict[str, str] = {}
    others = []
    for part in filter(None, parameters.split(";")):
        name, _, value = part.partition("=")
        if not name or not value:
            raise ValueError("each parameter of a Spark address is name=value; %-encode special characters")
        if name in _OWN_PARAMETERS:
            own[name] = unquote(value)
        else:
            others.append(part)
    if len(own) == len(_OWN_PARAMETERS):
        raise ValueError("Spark's address names either a database or a folder")
    return SparkPlace("/;".join(filter(None, [_SCHEME + host, ";".join(others)])), **own)
