"""How a report stands in Redis: its RQ job's hash, with fields of ours beside RQ's.

RQ's own saves never touch a field that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from reports_worker.broker import keys
from reports_worker.domain import receipt as receipts
from reports_worker.domain.report import Callback, CallbackStatus, Pause, Progress, Report, Status
from reports_worker.lib import clock
from reports_worker.lib.strict_json import parse_json

# Stored with every report, so it names nothing of the layout.
JOB_FUNCTION = "reports_worker.make_report"
_ELSEWHERE = "Reports are made by the worker of this product: rq worker -c reports_worker.rq_config"
FIELDS = ("status", "created_at", "started_at", "ended_at", "title", "type", "parameters", "requester",
          "version", "formats", "as_of", "artifacts", "artifacts_at",
          "percent", "stage", "summary", "error", "reason",
          "callback_url", "callback_status", "callback_attempts",
          "callback_last_status", "callback_last_error", "callback_delivered_at")  # fmt: skip

# RQ's other statuses are all ways of waiting.
_STATUSES = {
    JobStatus.STARTED.value: Status.RUNNING,
    JobStatus.FINISHED.value: Status.COMPLETED,
    JobStatus.FAILED.value: Status.FAILED,
    JobStatus.STOPPED.value: Status.FAILED,
    JobStatus.CANCELED.value: Status.FAILED,
}


def make_report() -> NoReturn:
    """Stand for the making of a report in what RQ stores; only a worker that is not ours calls it."""
    raise RuntimeError(_ELSEWHERE)


def describe_job(connection: Redis, timeout: timedelta) -> Mapping[str, Any]:
    """Let RQ itself write what a job of ours holds; times and our own fields come on top.

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


def read_status(text: str) -> Status:
    """Translate RQ's status; what is none of ours is a way of waiting."""
    return _STATUSES.get(text, Status.PENDING)


def read_report(
    task_id: str, values: Sequence[bytes | None], *, position: int = -1, pause: Pause | None = None
) -> Report | None:
    """Read a report from the values of `FIELDS`; None if there is no report."""
    try:
        row = {name: value.decode() for name, value in zip(FIELDS, values, strict=True) if value is not None}
        return _to_report(task_id, row, position, pause)
    except (KeyError, TypeError, ValueError):
        # No report, half of one, or damaged by hand: what cannot be read is none.
        return None


def check_end(fields: Mapping[str, str]) -> None:
    """Raise ValueError if a report with these fields could not be read again."""
    try:
        _to_object(fields["summary"])
        receipts.from_text(fields.get("artifacts", "[]"))
        clock.from_text(fields.get("as_of", ""))
    except TypeError as error:
        raise ValueError(str(error)) from error


def read_preview(text: bytes | None) -> Mapping[str, Any] | None:
    """Read what a completed report's own page shows of its contents; None if there is none, or it is damaged."""
    try:
        found = parse_json(text.decode()) if text else None
        return _check_preview(found) if found else None
    except (KeyError, OverflowError, TypeError, ValueError):
        return None


def _to_report(task_id: str, row: Mapping[str, str], position: int, pause: Pause | None) -> Report:
    return Report(
        task_id=task_id,
        title=row["title"],
        type=row["type"],
        status=read_status(row["status"]),
        created_at=clock.from_text(row["created_at"]) or clock.now(),
        parameters=_to_object(row["parameters"]),
        requester=row["requester"],
        started_at=clock.from_text(row.get("started_at", "")),
        ended_at=clock.from_text(row.get("ended_at", "")),
        progress=Progress(max(0, min(100, int(row.get("percent", 0)))), row.get("stage", "")),
        result=_to_result(row),
        error=row.get("error"),
        reason=row.get("reason"),
        position=position if position >= 0 else None,
        callback=_to_callback(row),
        pause=pause,
        version=row.get("version"),
        as_of=clock.from_text(row.get("as_of", "")),
        artifacts=receipts.from_text(row["artifacts"]) if "artifacts" in row else (),
        artifacts_at=row.get("artifacts_at"),
        formats=_to_formats(row["formats"]) if "formats" in row else None,
    )


def _to_result(row: Mapping[str, str]) -> Mapping[str, Any] | None:
    if "summary" not in row:
        return None
    return {"title": row["title"], "type": row["type"], **_to_object(row["summary"])}


def _to_object(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _expect(parse_json(text), dict)
    return found


def _to_formats(text: str) -> tuple[str, ...]:
    return tuple(_expect(name, str) for name in _expect(parse_json(text), list))


def _to_callback(row: Mapping[str, str]) -> Callback | None:
    if "callback_url" not in row:
        return None
    last_status = row.get("callback_last_status")
    return Callback(
        url=row["callback_url"],
        status=CallbackStatus(row.get("callback_status", CallbackStatus.PENDING)),
        attempts=int(row.get("callback_attempts", 0)),
        last_status=int(last_status) if last_status else None,
        last_error=row.get("callback_last_error") or None,
        delivered_at=clock.from_text(row.get("callback_delivered_at", "")),
    )


def _check_preview(found: Any) -> Mapping[str, Any]:
    """Return a preview of which the page can show all; raise TypeError or ValueError where it could not."""
    preview = {"units": {}, "tables": [], "charts": [], "stages": [], **_expect(found, dict)}
    _expect(preview["units"], dict)
    for stage in _expect(preview["stages"], list):
        _expect(_expect(stage, dict)["name"], str)
        float(_expect(stage["seconds"], (int, float)))
    parts = {
        name: [_check_part(part) for part in _expect(preview[name], list)] for name in ("tables", "charts")
    }
    return {**preview, **parts}


def _check_part(found: Any) -> Mapping[str, Any]:
    """Return a table or chart of a preview, with what the page reads of it."""
    part = {
        "name": "",
        "title": "",
        "description": "",
        "cut": None,
        "rows": 0,
        "first": [],
        **_expect(found, dict),
    }
    _expect(part["title"], str)
    _expect(part["rows"], int)
    nothing = {"title": "", "kind": "", "unit": ""}
    columns = [{**nothing, **_expect(column, dict)} for column in _expect(part.get("columns", []), list)]
    if any(len(_expect(line, list)) > len(columns) for line in _expect(part["first"], list)):
        raise ValueError("a row has more values than there are columns")
    return {**part, "columns": columns}


def _expect(value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} is another type than expected")
    return value
