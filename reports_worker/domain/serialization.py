"""A report as JSON. Its fields keep their names and meanings; a new version may add fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reports_worker.lib import clock
from reports_worker.parameters import describe_schema

from .file_formats import FORMATS
from .receipt import describe_receipt
from .report import Callback, Pause, Report, Status
from .type_description import TypeDescription


def serialize(report: Report) -> dict[str, Any]:
    """Serialize a report; `result`, `error` and `reason` are present only after such an end."""
    body: dict[str, Any] = {
        "task_id": report.task_id,
        "title": report.title,
        "type": report.type,
        "status": report.status,
        "parameters": report.parameters,
        "created_at": _serialize_time(report.created_at),
        "started_at": _serialize_time(report.started_at),
        "ended_at": _serialize_time(report.ended_at),
        "progress": {"percent": report.progress.percent, "stage": report.progress.stage},
        "artifacts": [describe_receipt(receipt) for receipt in report.artifacts],
        "as_of": _serialize_time(report.as_of),
        "formats": report.formats,
        "version": report.version,
    }
    if report.status is Status.COMPLETED:
        body["complete"] = report.is_complete
    if report.position is not None:
        body["position"] = report.position
    if report.callback is not None:
        body["callback"] = _serialize_callback(report.callback)
    ends = {"result": report.result, "error": report.error, "reason": report.reason}
    return body | {name: value for name, value in ends.items() if value is not None}


def serialize_type(report_type: TypeDescription) -> dict[str, Any]:
    """Serialize a report type; its parameters are a JSON Schema."""
    return {
        "name": report_type.name,
        "title": report_type.title,
        "description": report_type.description,
        "parameters": describe_schema(report_type.parameters),
        "formats": FORMATS if report_type.formats is None else report_type.formats,
        "version": report_type.version,
    }


def serialize_pause(pause: Pause) -> dict[str, Any]:
    """Serialize the pause of the queue; without `until` it lasts until the queue is resumed."""
    return {"since": _serialize_time(pause.since), "until": _serialize_time(pause.until)}


def _serialize_callback(callback: Callback) -> dict[str, Any]:
    return {
        "url": callback.url,
        "status": callback.status,
        "attempts": callback.attempts,
        "last_status": callback.last_status,
        "last_error": callback.last_error,
        "delivered_at": _serialize_time(callback.delivered_at),
    }


def _serialize_time(time: datetime | None) -> str | None:
    return None if time is None else clock.to_json(time)
