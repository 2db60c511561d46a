"""The paths of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable

from reports_app.contract.query_args import DEFAULT_LISTED, LONGEST_WAIT_SECONDS
from reports_worker import LONGEST_TITLE, MOST_LISTED, Status

from .schemas import Schema, array_of, json_body, refer

_KEY_PATTERN = "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$"
_ID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
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


def describe_paths() -> Schema:
    task = [refer("parameters", "task_id")]
    return {
        "/api/reports": {
            "get": {
                "operationId": "listReports",
                "summary": "List reports, newest first",
                "description": "With a filter, 2,000 reports are looked at: the page may be short, or even "
                "empty, and still have a next one. `X-Total-Count` is given without a filter only.",
                "parameters": [
                    refer("parameters", name) for name in ("status", "type", "q", "limit", "cursor")
                ],
                "responses": _answers(
                    200, "A page", array_of("Report"), problems=(400, 503), headers=_LIST_HEADERS
                ),
            },
            "post": {
                "operationId": "submitReport",
                "summary": "Ask for a report",
                "parameters": [refer("parameters", "idempotency_key")],
                "requestBody": {"required": True, "content": json_body(refer("schemas", "Submission"))},
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
                "parameters": [refer("parameters", "wait")],
                "responses": _answers(
                    200,
                    "The report",
                    refer("schemas", "Report"),
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
            "parameters": [*task, refer("parameters", "name")],
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
                "responses": _answers(200, "The report types", array_of("ReportType")),
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
                "responses": _answers(200, "Healthy", refer("schemas", "Health"))
                | {"503": {"description": "Unhealthy", "content": json_body(refer("schemas", "Health"))}},
            }
        },
        "/alive": {
            "get": {
                "operationId": "alive",
                "summary": "Up: this process answers",
                "responses": _answers(200, "Alive", refer("schemas", "Health")),
            }
        },
    }


def _header(name: str, description: str, kind: str = "string") -> Schema:
    return {name: {"description": description, "schema": {"type": kind}}}


_LIST_HEADERS = _header("Link", '`rel="next"` leads to the next page') | _header(
    "X-Total-Count", "How many there are, without a filter", "integer"
)
_RETRY_AFTER = _header("Retry-After", "Seconds until another try makes sense", "integer")


def describe_parameters() -> Schema:
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


def _accepted(description: str, problems: Iterable[int]) -> Schema:
    return _answers(
        202,
        description,
        refer("schemas", "Accepted"),
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
    answer: Schema = {"description": description, "content": json_body(schema)}
    if headers:
        answer["headers"] = headers
    return {str(status): answer} | _problems(problems)


def _problems(statuses: Iterable[int]) -> Schema:
    content = {"application/problem+json": {"schema": refer("schemas", "Problem")}}
    return {
        str(status): {"description": _PROBLEMS[status], "content": content}
        | ({"headers": _RETRY_AFTER} if status == 503 else {})
        for status in statuses
    }
