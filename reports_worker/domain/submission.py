"""Requests for reports: the one check behind form, JSON and code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from reports_worker.errors import FieldError, InvalidSubmissionError
from reports_worker.parameters import Calendar, check_parameters
from reports_worker.parameters.integer import to_whole
from reports_worker.parameters.text import is_one_line

from .callback_url import find_fault
from .file_formats import FORMATS
from .report import ANONYMOUS
from .type_description import TypeDescription

LONGEST_TITLE = 200
LONGEST_MAX_AGE = timedelta(days=30)
FIELDS = ("title", "type", "parameters", "formats", "max_age", "callback_url")
MOST_ERRORS = 20
_ASKED = ("parameters", "formats", "max_age")


@dataclass(frozen=True)
class Submission:
    """A request for a report that has passed the check.

    `parameters` are canonical; `asked` holds parameters, formats and age as they came. `version` is that of
    the type's definition.
    """

    title: str
    type: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    requester: str = ANONYMOUS
    callback_url: str | None = None
    formats: tuple[str, ...] | None = None
    max_age: timedelta | None = None
    version: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict, compare=False)


def parse_submission(
    data: object,
    *,
    types: Mapping[str, TypeDescription],
    calendar: Calendar,
    requester: str = ANONYMOUS,
    callback_hosts: Sequence[str] = (),
) -> Submission:
    """Check the data of a form or a JSON body.

    `types` holds the report types by name, `callback_hosts` the hosts that callbacks may go to;
    `calendar` tells which days "last quarter" is. Values are taken as they are and never converted: a number
    is no title. Raises InvalidSubmissionError with the fields that are at fault.
    """
    if not isinstance(data, Mapping):
        raise InvalidSubmissionError(FieldError("", "The body must be an object with title and type."))
    asked_for = _find_type(data.get("type"), types)
    parameters, faults = _read_parameters(data.get("parameters", {}), asked_for, calendar)
    problems = [
        *_check_title(data.get("title")),
        *([] if asked_for else [_refuse_type(types)]),
        *faults,
        *_check_formats(data),
        *_check_max_age(data),
        *_check_callback(data, callback_hosts),
        *(FieldError(str(name), f"{name!r} is not a field of a report; {', '.join(FIELDS)} are.")
          for name in data if name not in FIELDS),
    ]  # fmt: skip
    if problems or asked_for is None:
        raise InvalidSubmissionError(*problems[:MOST_ERRORS])
    return Submission(
        title=data["title"].strip(),
        type=asked_for.name,
        parameters=parameters,
        requester=requester,
        callback_url=data.get("callback_url"),
        formats=_choose_formats(data.get("formats", asked_for.formats)),
        max_age=timedelta(seconds=data["max_age"]) if "max_age" in data else None,
        version=asked_for.version,
        asked={"parameters": {}} | {name: data[name] for name in _ASKED if name in data},
    )


def _check_title(title: object) -> list[FieldError]:
    if not isinstance(title, str):
        return [FieldError("title", "The title is required and must be text.")]
    if not 1 <= len(title.strip()) <= LONGEST_TITLE:
        return [FieldError("title", f"The title must have 1 to {LONGEST_TITLE} characters.")]
    if not is_one_line(title.strip()):
        return [FieldError("title", "The title must not contain control characters or line breaks.")]
    return []


def _find_type(name: object, types: Mapping[str, TypeDescription]) -> TypeDescription | None:
    return types.get(name) if isinstance(name, str) else None


def _refuse_type(types: Mapping[str, TypeDescription]) -> FieldError:
    return FieldError("type", f"The type must be one of the report types: {', '.join(types)}.")


def _read_parameters(
    given: object, asked_for: TypeDescription | None, calendar: Calendar
) -> tuple[dict[str, Any], list[FieldError]]:
    """Check the parameters against the type; those of an unknown type are not checked."""
    if asked_for is None:
        fault = FieldError("parameters", "The parameters must be an object.")
        return {}, [] if isinstance(given, Mapping) else [fault]
    return check_parameters(asked_for.parameters, given, calendar=calendar)


def _check_formats(data: Mapping[str, Any]) -> list[FieldError]:
    names = data.get("formats", [])
    if isinstance(names, (list, tuple)) and all(isinstance(name, str) and name in FORMATS for name in names):
        return []
    return [FieldError("formats", f"The formats must be a list; allowed are {', '.join(FORMATS)}.")]


def _choose_formats(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the formats in one order, each once; all, where neither request nor type names any."""
    return tuple(name for name in FORMATS if names is None or name in names)


def _check_max_age(data: Mapping[str, Any]) -> list[FieldError]:
    if "max_age" not in data:
        return []
    seconds, most = to_whole(data["max_age"]), int(LONGEST_MAX_AGE.total_seconds())
    if type(seconds) is not int or not 1 <= seconds <= most:
        return [FieldError("max_age", f"The max_age must be a whole number of seconds from 1 to {most}.")]
    if "callback_url" in data:
        return [FieldError("max_age", "An earlier report sends no callback: give max_age or callback_url.")]
    return []


def _check_callback(data: Mapping[str, Any], hosts: Sequence[str]) -> list[FieldError]:
    if "callback_url" not in data:
        return []
    fault = find_fault(data["callback_url"], hosts)
    return [FieldError("callback_url", fault)] if fault else []
