"""The schemas of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reports_worker import (
    FORMATS,
    LONGEST_MAX_AGE,
    LONGEST_TITLE,
    LONGEST_URL,
    CallbackStatus,
    Reason,
    Status,
)

Schema = dict[str, Any]
_CONTROLS = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029"
_TITLE_PATTERN = f"^[^{_CONTROLS}]*[^\\s{_CONTROLS}][^{_CONTROLS}]*$"
_CALLBACK_URL = {"type": "string", "format": "uri", "maxLength": LONGEST_URL}
_FORMATS = {"type": "array", "items": {"type": "string", "enum": list(FORMATS)}}


def describe_schemas(types: list[str]) -> Schema:
    text, time = {"type": "string"}, {"type": ["string", "null"], "format": "date-time"}
    title = {"type": "string", "minLength": 1, "maxLength": LONGEST_TITLE}
    task_id, status = {"type": "string", "format": "uuid"}, {"type": "string", "enum": list(Status)}
    return {
        "Submission": _object(
            {
                "title": title
                | {"pattern": _TITLE_PATTERN, "description": "Trimmed; no control characters or line breaks"},
                "type": {"type": "string", "enum": types},
                "parameters": {"type": "object", "description": "As `Parameters.` and the type says"},
                "formats": _FORMATS | {"description": "The files wanted; those of the type if not given"},
                "max_age": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": int(LONGEST_MAX_AGE.total_seconds()),
                    "description": "Seconds. Your newest report of the same type, parameters, formats and "
                    "version serves instead of a new one, if it is completed and ended no longer ago, or is "
                    "still to be made. Not with a callback.",
                },
                "callback_url": _CALLBACK_URL
                | {"description": "Told once, signed, when the report has ended; its host must be allowed."},
            },
            required=("title", "type"),
            additional=False,
        ),
        "Accepted": _object(
            {"task_id": task_id, "status": status, "message": text},
            required=("task_id", "status", "message"),
        ),
        "Report": _object(
            {
                "task_id": task_id,
                "title": title,
                "type": text,
                "status": status,
                "parameters": {"type": "object", "description": "With defaults, and the days of presets"},
                "formats": {"type": ["array", "null"], "items": text, "description": "The files asked for"},
                "version": {"type": ["string", "null"], "description": "Of the definition of its type"},
                "created_at": text | {"format": "date-time"},
                "started_at": time,
                "ended_at": time,
                "progress": _object(
                    {"percent": {"type": "integer", "minimum": 0, "maximum": 100}, "stage": text},
                    required=("percent", "stage"),
                ),
                "artifacts": array_of("Receipt"),
                "as_of": time | {"description": "As of when its data are"},
                "complete": {"type": "boolean", "description": "Once completed: whether its files hold all"},
                "position": {"type": "integer", "minimum": 0, "description": "How many wait before it"},
                "result": {"type": "object", "description": "Once completed: title, type and the figures"},
                "error": text | {"description": "Once failed: a sentence for people"},
                "reason": text | {"description": f"Once failed, for programs: {', '.join(Reason)}"},
                "callback": refer("schemas", "Callback"),
            },
            required=(
                "task_id", "title", "type", "status", "parameters", "formats", "version",
                "created_at", "started_at", "ended_at", "progress", "artifacts", "as_of",
            ),
        ),
        "Receipt": _describe_receipt(),
        "Callback": _object(
            {
                "url": _CALLBACK_URL,
                "status": {"type": "string", "enum": list(CallbackStatus)},
                "attempts": {"type": "integer", "minimum": 0},
                "last_status": {"type": ["integer", "null"], "description": "What was answered last"},
                "last_error": {"type": ["string", "null"]},
                "delivered_at": time,
            },
            required=("url", "status", "attempts", "last_status", "last_error", "delivered_at"),
        ),
        "ReportType": _object(
            {
                "name": text,
                "title": text,
                "description": text,
                "parameters": {"type": "object", "description": "A JSON Schema"},
                "formats": _FORMATS | {"description": "The files where nobody asks for others"},
                "version": {"type": ["string", "null"], "description": "Changes with the definition"},
            },
            required=("name", "title", "description", "parameters", "formats", "version"),
        ),
        "Health": _object(
            {
                "status": text,
                "service": text,
                "reason": text | {"description": "Why it is unhealthy"},
                "warnings": {
                    "type": "array",
                    "items": text,
                    "description": "What about the broker endangers reports, and that the API is open: a sentence each",
                },
                "paused": refer("schemas", "Pause"),
            },
            required=("status", "service"),
        ),
        "Pause": _object(
            {
                "since": time | {"description": "null where it was paused by `rq suspend`"},
                "until": time | {"description": "null where it lasts until somebody resumes the queue"},
            },
            required=("since", "until"),
        ),
        "Problem": _object(
            {
                "type": text,
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
                "errors": {
                    "type": "array",
                    "items": _object({"field": text, "message": text}, required=("field", "message")),
                },
            },
            required=("type", "title", "status", "detail"),
        ),
    }  # fmt: skip


def _describe_receipt() -> Schema:
    text, count = {"type": "string"}, {"type": "integer", "minimum": 0}
    return _object(
        {
            "name": text | {"description": "Of the file, below `artifacts/`"},
            "format": text,
            "media_type": text,
            "size": count | {"description": "Bytes"},
            "sha256": text | {"description": "Of its bytes, also its `ETag`"},
            "seconds": {"type": "number", "minimum": 0, "description": "How long it took to write"},
            "table": text | {"description": "The table that it holds, if one alone"},
            "chart": text | {"description": "The chart that it shows, if one alone"},
            "rows_written": count | {"description": "Of a chart: that are drawn, 0 where it cannot be"},
            "rows_expected": count | {"description": "All that there are; absent where that is not known"},
            "complete": {"type": "boolean"},
            "cut": text | {"description": "Why it does not hold everything"},
        },
        required=("name", "format", "media_type", "size", "sha256", "seconds", "complete"),
    )


def _object(properties: Schema, *, required: Iterable[str], additional: bool = True) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required := list(required):
        schema["required"] = required
    return schema if additional else schema | {"additionalProperties": False}


def array_of(name: str) -> Schema:
    return {"type": "array", "items": refer("schemas", name)}


def refer(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def json_body(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
