"""Ids, rows and JSON as they stand in Redis, where others can write too.

What is no task id is left out where it is read. Scripts take it out, and say so once.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from . import keys
from .task_ids import is_task_id

log = logging.getLogger(__name__)

Row = Sequence[bytes | None]
T = TypeVar("T")

_ID_LENGTH = 36
_LONGEST_SHOWN = 100
# How the scripts begin to say what became of an entry that names no report.
_TAKEN_OUT = "taken out of "
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]", re.ASCII)


def to_task_id(entry: object) -> str | None:
    """Read a task id; None if it is none."""
    if not isinstance(entry, bytes) or len(entry) != _ID_LENGTH:
        return None
    text = entry.decode("latin-1")
    return text if is_task_id(text) else None


def to_task_ids(entries: Iterable[bytes]) -> list[str]:
    """Read task ids, and leave out what is none."""
    return [task_id for entry in entries if (task_id := to_task_id(entry))]


def read_outcomes(flat: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    """Yield which report a script changed, and how; log what it took out because it names no report."""
    for entry, outcome in zip(flat[::2], flat[1::2], strict=True):
        text, task_id = outcome.decode(), to_task_id(entry)
        if task_id is None or text.startswith(_TAKEN_OUT):
            log_taken_out(entry, text.removeprefix(_TAKEN_OUT))
        else:
            yield task_id, text


def log_taken_out(entry: bytes, key: str) -> None:
    """Log that an entry was removed, in a form that no terminal obeys."""
    log.warning("%r names no report, so it is taken out of %s", entry[:_LONGEST_SHOWN], key)


def is_wrong_type(error: object) -> bool:
    """Tell whether a command failed since a key holds another type of value than it needs."""
    return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)


def unless_wrong_type(answer: Any, default: T) -> Any | T:
    """Return the answer to one command of a pipeline, `default` for a key of the wrong type; raise its other errors."""
    if is_wrong_type(answer):
        return default
    if isinstance(answer, RedisError):
        raise answer
    return answer


def read_rows(connection: Redis, ids: Sequence[str], fields: Sequence[str]) -> list[Row]:
    """Read fields of reports in one round trip; a key that holds no report gives a row without values."""
    if not ids:
        return []
    with connection.pipeline(transaction=False) as pipeline:
        for task_id in ids:
            pipeline.hmget(keys.job(task_id), fields)
        nothing: Row = [None] * len(fields)
        return [unless_wrong_type(row, nothing) for row in pipeline.execute(raise_on_error=False)]


def take_lock(connection: Redis, name: str, seconds: int) -> bool:
    """Take a lock that ends by itself after `seconds`; have one end that another has written without an end."""
    if connection.set(name, "1", nx=True, ex=seconds):
        return True
    if not 0 <= connection.ttl(name) <= seconds:
        connection.expire(name, seconds)
    return False


def parse_json(text: str) -> Any:
    """Parse JSON; raise ValueError for what is none, and for what could not be written out again."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_parse_float)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if _SURROGATE.search(text):
        # Fails for half a pair.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON can hold")
    return number
