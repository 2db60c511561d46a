"""How a report stands in Redis: its RQ job's hash, with fields of this product beside RQ's.

`TABLE` names each field once. The reader, the writers and the scripts come from it. RQ's own saves never touch a
field that RQ does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import lru_cache
from typing import Any, NoReturn

from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from reports_worker.broker import keys
from reports_worker.domain import receipt as receipts
from reports_worker.domain.report import (
    Callback,
    CallbackStatus,
    Completed,
    Failed,
    Pause,
    Progress,
    Receipt,
    Report,
    Status,
)
from reports_worker.domain.submission import Submission
from reports_worker.domain.task_id import read_time
from reports_worker.lib import clock
from reports_worker.lib.strict_json import expect, parse_json

# Stored with every report, so it names nothing of the layout.
JOB_FUNCTION = "reports_worker.make_report"
_ELSEWHERE = "Reports are made by the worker of this product: rq worker -c reports_worker.rq_config"
_ENCODER = json.JSONEncoder(allow_nan=False)

# RQ's other statuses are all ways of waiting.
_STATUSES = {
    JobStatus.STARTED.value: Status.RUNNING,
    JobStatus.FINISHED.value: Status.COMPLETED,
    JobStatus.FAILED.value: Status.FAILED,
    JobStatus.STOPPED.value: Status.FAILED,
    JobStatus.CANCELED.value: Status.FAILED,
}


def make_report() -> NoReturn:
    """Stand for the execution of a report in what RQ stores; only a foreign worker calls this function."""
    raise RuntimeError(_ELSEWHERE)


def describe_job(connection: Redis, timeout: timedelta) -> Mapping[str, Any]:
    """Let RQ itself write what a job holds; times and the fields of `TABLE` come on top.

    The description carries no user's text, since rq-dashboard prints it as markup.
    """
    job = Job.create(
        JOB_FUNCTION,
        connection=connection,
        serializer=JSONSerializer,
        timeout=int(timeout.total_seconds()),
        origin=keys.QUEUE,
        description="report",
        status=JobStatus.QUEUED,
    )
    return {name: value for name, value in job.to_dict().items() if value != ""}


# -- one value


def read_status(text: str) -> Status:
    """Translate RQ's status; an unknown word is a way of waiting."""
    return _STATUSES.get(text, Status.PENDING)


def _read_callback_status(text: str) -> CallbackStatus:
    """Read the status of a delivery; a word of a newer version counts as pending."""
    return CallbackStatus(text) if text in set(CallbackStatus) else CallbackStatus.PENDING


def _read_percent(text: str) -> int:
    return max(0, min(100, int(text)))


def _read_optional_number(text: str) -> int | None:
    return int(text) if text else None


def _read_optional_text(text: str) -> str | None:
    return text or None


def _read_object(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = expect(parse_json(text), dict)
    return found


def _write_optional_text(text: str) -> str | None:
    return text or None


def _write_receipts(files: Sequence[Receipt]) -> str | None:
    return receipts.to_text(files) if files else None


@lru_cache(maxsize=64)  # the same few combinations again and again
def _read_formats(text: str) -> tuple[str, ...]:
    return tuple(expect(name, str) for name in expect(parse_json(text), list))


# -- the table


class Cleared(Enum):
    """When scripts remove a field."""

    NEVER = auto()
    BY_RETRY = auto()
    BY_END = auto()  # by each new end of the report, and by a retry


@dataclass(frozen=True)
class Field:
    """One field of the hash: its name in Redis, and how it is read, written and removed.

    The value goes into `attribute` of `part`: the report, its progress or its callback. Without a part only scripts
    or a page of its own read the field. An absent field leaves the part's default. `sources` are the values that
    write the field, each from an attribute of the same name as the field. None, as a value or as what `write` makes
    of it, takes no room.
    """

    name: str
    attribute: str = ""
    part: type | None = Report
    read: Callable[[str], Any] = str
    write: Callable[[Any], str | None] = str
    sources: Sequence[type] = ()
    cleared: Cleared = Cleared.NEVER


_TIME: Mapping[str, Any] = {"read": clock.from_text, "write": clock.to_text}
_OBJECT: Mapping[str, Any] = {"read": _read_object, "write": _ENCODER.encode}
_RESULT: Mapping[str, Any] = {"sources": [Completed], "cleared": Cleared.BY_RETRY}
_FAILURE: Mapping[str, Any] = {"sources": [Failed], "cleared": Cleared.BY_RETRY}
_DELIVERY: Mapping[str, Any] = {"part": Callback, "cleared": Cleared.BY_END}

TABLE = (
    Field("status", read=read_status),  # first, as read.lua expects
    Field("created_at", **_TIME),
    Field("started_at", **_TIME),
    Field("ended_at", **_TIME),
    Field("title", sources=[Submission]),
    Field("type", sources=[Submission]),
    Field("parameters", sources=[Submission], **_OBJECT),
    Field("requester", sources=[Submission]),
    Field("version", write=_write_optional_text, sources=[Submission, Completed]),
    Field("formats", read=_read_formats, write=_ENCODER.encode, sources=[Submission]),
    Field("as_of", **_TIME, **_RESULT),
    Field("artifacts", read=receipts.from_text, write=_write_receipts, **_RESULT),
    Field("artifacts_at", cleared=Cleared.BY_RETRY),
    Field("percent", part=Progress, read=_read_percent),
    Field("stage", part=Progress),
    Field("summary", "result", **_OBJECT, **_RESULT),
    Field("error", **_FAILURE),
    Field("reason", **_FAILURE),
    Field("callback_url", "url", part=Callback, write=_write_optional_text, sources=[Submission]),
    Field("callback_status", "status", read=_read_callback_status, **_DELIVERY),
    Field("callback_attempts", "attempts", read=int, **_DELIVERY),
    Field("callback_last_status", "last_status", read=_read_optional_number, **_DELIVERY),
    Field("callback_last_error", "last_error", read=_read_optional_text, **_DELIVERY),
    Field("callback_delivered_at", "delivered_at", read=clock.from_text, **_DELIVERY),
    Field("preview", part=None, write=_write_optional_text, **_RESULT),
    Field("cancelled_at", part=None, cleared=Cleared.BY_RETRY),
    Field("executions", part=None, cleared=Cleared.BY_RETRY),
    Field("missed_starts", part=None, cleared=Cleared.BY_RETRY),
    Field("worker_name", part=None, cleared=Cleared.BY_RETRY),
)

_READ = tuple(field for field in TABLE if field.part)
_PLACES = tuple((field.part, field.attribute or field.name, field.read) for field in _READ)
_WRITTEN = {
    source: tuple((field.name, field.write) for field in TABLE if source in field.sources)
    for source in (Submission, Completed, Failed)
}
_READERS = {field.name: field.read for field in TABLE}
# The names of the fields that every reader of reports reads.
FIELDS = tuple(field.name for field in _READ)


def list_cleared(when: Cleared) -> Sequence[str]:
    """List the names of the fields that scripts remove then."""
    return [field.name for field in TABLE if field.cleared is when]


# -- reading and writing


def read_report(
    task_id: str, values: Sequence[bytes | None], *, position: int = -1, pause: Pause | None = None
) -> Report | None:
    """Read a report from the values of `FIELDS`; None if there is no report.

    What an older version did not write has its default. A value that is there and cannot be read is damaged, and
    a damaged record is no report.
    """
    try:
        return _read_report(task_id, values, position, pause)
    except (KeyError, TypeError, ValueError):
        return None


def write_fields(source: Submission | Completed | Failed) -> dict[str, str]:
    """Write the fields that come from a request, or from an end.

    Raises ValueError and TypeError for what JSON cannot hold.
    """
    return {
        name: text
        for name, write in _WRITTEN[type(source)]
        if (value := getattr(source, name)) is not None and (text := write(value)) is not None
    }


def check_readable(fields: Mapping[str, str]) -> None:
    """Raise ValueError if a report with these fields could not be read again."""
    try:
        for name, text in fields.items():
            _READERS[name](text)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _read_report(task_id: str, values: Sequence[bytes | None], position: int, pause: Pause | None) -> Report:
    parts: dict[type | None, dict[str, Any]] = {Report: {}, Progress: {}, Callback: {}}
    for (part, attribute, read), value in zip(_PLACES, values, strict=True):
        if value is not None:
            parts[part][attribute] = read(value.decode())
    own, callback = parts[Report], parts[Callback]
    own["created_at"] = own.get("created_at") or read_time(task_id)
    if "result" in own:
        own["result"] = {"title": own["title"], "type": own["type"], **own["result"]}
    return Report(
        task_id=task_id,
        **own,
        progress=Progress(**parts[Progress]),
        callback=Callback(**callback) if "url" in callback else None,
        position=position if position >= 0 else None,
        pause=pause,
    )
