"""The contract as OpenAPI 3.1, made from the same definitions that serve it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from reports_worker import (
    FORMATS,
    LONGEST_MAX_AGE,
    LONGEST_TITLE,
    LONGEST_URL,
    MOST_LISTED,
    CallbackStatus,
    Reason,
    Status,
    TypeDescription,
)
from reports_worker.parameters import describe_schema

from .queries import DEFAULT_LISTED, LONGEST_WAIT_SECONDS

Schema = dict[str, Any]

VERSION = "1.0.0"
_KEY_PATTERN = "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$"
_ID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_CONTROLS = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029"
_TITLE_PATTERN = f"^[^{_CONTROLS}]*[^\\s{_CONTROLS}][^{_CONTROLS}]*$"
_PROBLEMS = {
    400: "Malformed, or fields at fault: `errors` names each of them.",
    403: "A page of another site sent the request; programs are never refused so.",
    404: "There is no such report, or not any more.",
    409: "The report is not in a state in which this can be done, or the key was used for another request.",
    410: "The file was there, and somebody removed or changed it.",
    413: "More than 64 KiB.",
    415: "Another media type than application/json.",
    416: "The file ends before the part that `Range` asks for.",
    503: "Broker away, or full; `detail` says which, and if what was asked may yet be done. "
    "`Retry-After` says when to try again.",
}


def describe_api(catalog: Mapping[str, TypeDescription], *, root: str, has_callbacks: bool) -> Schema:
    """Describe the API below the path `root`, with callbacks if any host is allowed to get them."""
    schemas = _describe_schemas(list(catalog)) | _describe_types(catalog)
    schemas["Submission"] |= _choose_by_type(catalog)
    if has_callbacks:
        schemas["Submission"] |= {"not": {"required": ["callback_url", "max_age"]}}
    else:
        del schemas["Submission"]["properties"]["callback_url"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Background reports",
            "version": VERSION,
            "description": "Ask for a report, get a task id at once, watch it being made, get the figures.",
        },
        "servers": [{"url": root or "/"}],
        "paths": _describe_paths(),
        "components": {"schemas": schemas, "parameters": _describe_parameters()},
    }


def _describe_types(catalog: Mapping[str, TypeDescription]) -> Schema:
    return {_parameters_name(name): describe_schema(one.parameters) for name, one in catalog.items()}


def _choose_by_type(catalog: Mapping[str, TypeDescription]) -> Schema:
    """Say which parameters go with which type."""
    choices = []
    for name, one in catalog.items():
        needed = ["parameters"] if any(parameter.required for parameter in one.parameters) else []
        fields = {"type": {"const": name}, "parameters": _ref("schemas", _parameters_name(name))}
        choices.append({"title": one.title, "properties": fields, "required": ["type", *needed]})
    return {"oneOf": choices} if choices else {}


def _parameters_name(type_name: str) -> str:
    """Name a schema as OpenAPI allows it."""
    return f"Parameters.{re.sub('[^A-Za-z0-9._-]', '_', type_name)}"


def _describe_paths() -> Schema:
    task = [_ref("parameters", "task_id")]
    return {
        "/api/reports": {
            "get": {
                "operationId": "listReports",
                "summary": "List reports, newest first",
                "description": "With a filter, 2,000 reports are looked at: the page may be short, or even "
                "empty, and still have a next one. `X-Total-Count` is given without a filter only.",
                "parameters": [
                    _ref("parameters", name) for name in ("status", "type", "q", "limit", "cursor")
                ],
                "responses": _answers(
                    200, "A page", _array("Report"), problems=(400, 503), headers=_LIST_HEADERS
                ),
            },
            "post": {
                "operationId": "submitReport",
                "summary": "Ask for a report",
                "parameters": [_ref("parameters", "idempotency_key")],
                "requestBody": {"required": True, "content": _json(_ref("schemas", "Submission"))},
                "responses": _accepted(
                    "Accepted: the task id and status, of an earlier report where one serves",
                    (400, 403, 409, 413, 415, 503),
                ),
            },
        },
        "/api/reports/{task_id}": {
            "parameters": task,
            "get": {
                "operationId": "showReport",
                "summary": "See how a report stands, at once or when it has ended",
                "parameters": [_ref("parameters", "wait")],
                "responses": _answers(
                    200,
                    "The report",
                    _ref("schemas", "Report"),
                    problems=(400, 404, 503),
                    headers=_header("Retry-After", "Where it was not waited so long: seconds", "integer"),
                ),
            },
            "delete": {
                "operationId": "deleteReport",
                "summary": "Delete a report; one that runs is stopped first",
                "responses": {"204": {"description": "It is gone."}} | _problems((403, 404, 503)),
            },
        },
        "/api/reports/{task_id}/artifacts/{name}": {
            "parameters": [*task, _ref("parameters", "name")],
            "get": {
                "operationId": "downloadArtifact",
                "summary": "Take a file of a completed report away, whole or in part",
                "description": "`ETag` is its SHA-256; `Range`, `If-Range` and `If-None-Match` are honoured.",
                "responses": {
                    "200": {"description": "The file", "content": {"*/*": {"schema": {"type": "string"}}}},
                    "206": {"description": "A part", "content": {"*/*": {"schema": {"type": "string"}}}},
                    "304": {"description": "It is what `If-None-Match` names."},
                }
                | _problems((404, 410, 416, 503)),
            },
        },
        "/api/reports/{task_id}/cancel": {
            "parameters": task,
            "post": {
                "operationId": "cancelReport",
                "summary": "Cancel a report that waits or runs",
                "responses": _accepted("Cancelled, or stopped within two seconds", (403, 404, 409, 503)),
            },
        },
        "/api/reports/{task_id}/retry": {
            "parameters": task,
            "post": {
                "operationId": "retryReport",
                "summary": "Make a failed report again, under the same id",
                "responses": _accepted("Queued again", (403, 404, 409, 503)),
            },
        },
        "/api/report-types": {
            "get": {
                "operationId": "listReportTypes",
                "summary": "List what can be asked for",
                "responses": _answers(200, "The report types", _array("ReportType")),
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "describeApi",
                "summary": "Describe all this for programs",
                "responses": _answers(200, "An OpenAPI document", {"type": "object"}),
            }
        },
        "/health": {
            "get": {
                "operationId": "health",
                "summary": "Ready: the broker answers",
                "description": "`paused` is there while operators have the queue paused: reports are "
                "accepted, and wait.",
                "responses": _answers(200, "Healthy", _ref("schemas", "Health"))
                | {"503": {"description": "Unhealthy", "content": _json(_ref("schemas", "Health"))}},
            }
        },
        "/alive": {
            "get": {
                "operationId": "alive",
                "summary": "Up: this process answers",
                "responses": _answers(200, "Alive", _ref("schemas", "Health")),
            }
        },
    }


def _header(name: str, description: str, kind: str = "string") -> Schema:
    return {name: {"description": description, "schema": {"type": kind}}}


_LIST_HEADERS = _header("Link", '`rel="next"` leads to the next page') | _header(
    "X-Total-Count", "How many there are, without a filter", "integer"
)
_RETRY_AFTER = _header("Retry-After", "Seconds until another try makes sense", "integer")


_CALLBACK_URL = {"type": "string", "format": "uri", "maxLength": LONGEST_URL}

_FORMATS = {"type": "array", "items": {"type": "string", "enum": list(FORMATS)}}


def _describe_schemas(types: list[str]) -> Schema:
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
                "artifacts": _array("Receipt"),
                "as_of": time | {"description": "As of when its data are"},
                "complete": {"type": "boolean", "description": "Once completed: whether its files hold all"},
                "position": {"type": "integer", "minimum": 0, "description": "How many wait before it"},
                "result": {"type": "object", "description": "Once completed: title, type and the figures"},
                "error": text | {"description": "Once failed: a sentence for people"},
                "reason": text | {"description": f"Once failed, for programs: {', '.join(Reason)}"},
                "callback": _ref("schemas", "Callback"),
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
                "paused": _ref("schemas", "Pause"),
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


def _describe_parameters() -> Schema:
    return {
        "task_id": _parameter("task_id", {"type": "string"}, place="path"),
        "name": _parameter("name", {"type": "string"}, place="path"),
        "idempotency_key": _parameter(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 255, "pattern": _KEY_PATTERN},
            place="header",
            description="The same key and body give the same report, for 24 hours.",
        ),
        "wait": _parameter(
            "wait",
            {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS},
            description="Answer when the report ends, or after so many seconds. Where too many wait already, "
            "or the server is restarted, the answer comes at once, with `Retry-After`.",
        ),
        "status": _parameter(
            "status", {"type": "string", "enum": list(Status)}, description="Only those that stand so."
        ),
        "type": _parameter("type", {"type": "string"}, description="Only those of this type."),
        "q": _parameter(
            "q",
            {"type": "string", "maxLength": LONGEST_TITLE},
            description="Words of the title, in any case.",
        ),
        "limit": _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": DEFAULT_LISTED},
            description=f"How many a page holds at most; {DEFAULT_LISTED} if not given.",
        ),
        "cursor": _parameter(
            "cursor",
            {"type": "string", "pattern": _ID_PATTERN},
            description="The last id of the page before.",
        ),
    }


def _parameter(name: str, schema: Schema, *, place: str = "query", description: str = "") -> Schema:
    parameter: Schema = {"name": name, "in": place, "required": place == "path", "schema": schema}
    return parameter | ({"description": description} if description else {})


def _object(properties: Schema, *, required: Iterable[str], additional: bool = True) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required := list(required):
        schema["required"] = required
    return schema if additional else schema | {"additionalProperties": False}


def _array(name: str) -> Schema:
    return {"type": "array", "items": _ref("schemas", name)}


def _ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _accepted(description: str, problems: Iterable[int]) -> Schema:
    return _answers(
        202,
        description,
        _ref("schemas", "Accepted"),
        problems=problems,
        headers=_header("Location", "The report"),
    )


def _answers(
    status: int,
    description: str,
    schema: Schema,
    *,
    problems: Iterable[int] = (),
    headers: Schema | None = None,
) -> Schema:
    answer: Schema = {"description": description, "content": _json(schema)}
    if headers:
        answer["headers"] = headers
    return {str(status): answer} | _problems(problems)


def _problems(statuses: Iterable[int]) -> Schema:
    content = {"application/problem+json": {"schema": _ref("schemas", "Problem")}}
    return {
        str(status): {"description": _PROBLEMS[status], "content": content}
        | ({"headers": _RETRY_AFTER} if status == 503 else {})
        for status in statuses
    }
