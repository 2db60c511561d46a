"""What may be asked for: the one check behind form, JSON and code."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .callback_urls import find_fault
from .errors import FieldError, InvalidSubmissionError
from .model import ANONYMOUS

LONGEST_TITLE = 200
FIELDS = ("title", "type", "parameters", "callback_url")
MOST_ERRORS = 20

# Controls, lone surrogates (which no UTF-8 can carry) and the two separators that break lines.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True)
class Submission:
    """A request for a report that has passed the check."""

    title: str
    type: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    requester: str = ANONYMOUS
    callback_url: str | None = None


def parse_submission(
    data: object,
    *,
    types: Container[str],
    requester: str = ANONYMOUS,
    callback_hosts: Sequence[str] = (),
) -> Submission:
    """Check what a form or a JSON body brought.

    `types` holds the names that can be asked for, `callback_hosts` the hosts that callbacks may go to.
    Values are taken as they are and never converted:
    a number is no title. Raises InvalidSubmissionError with the fields that are at fault.
    """
    if not isinstance(data, Mapping):
        raise InvalidSubmissionError(FieldError("", "The body must be an object with title and type."))
    problems = [
        *_check_title(data.get("title")),
        *_check_type(data.get("type"), types),
        *check_parameters(data.get("parameters", {})),
        *_check_callback(data, callback_hosts),
        *(FieldError(str(name), f"{name!r} is not a field of a report; {', '.join(FIELDS)} are.")
          for name in data if name not in FIELDS),
    ]  # fmt: skip
    if problems:
        raise InvalidSubmissionError(*problems[:MOST_ERRORS])
    return Submission(
        title=data["title"].strip(),
        type=data["type"],
        parameters=dict(data.get("parameters", {})),
        requester=requester,
        callback_url=data.get("callback_url"),
    )


def _check_title(title: object) -> list[FieldError]:
    if not isinstance(title, str):
        return [FieldError("title", "The title is required and must be text.")]
    if not 1 <= len(title.strip()) <= LONGEST_TITLE:
        return [FieldError("title", f"The title must have 1 to {LONGEST_TITLE} characters.")]
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in title.strip()):
        return [FieldError("title", "The title must not contain control characters or line breaks.")]
    return []


def _check_type(name: object, types: Container[str]) -> list[FieldError]:
    if isinstance(name, str) and name in types:
        return []
    known = f": {', '.join(types)}" if isinstance(types, Mapping) else ""
    return [FieldError("type", f"The type must be one of the report types{known}.")]


def check_parameters(parameters: object) -> list[FieldError]:
    """Find what is wrong with the parameters of a report. API and worker may be of different versions."""
    if not isinstance(parameters, Mapping):
        return [FieldError("parameters", "The parameters must be an object.")]
    message = "{!r} is not a parameter of this type."
    return [FieldError(f"parameters.{name}", message.format(name)) for name in parameters]


def _check_callback(data: Mapping[str, Any], hosts: Sequence[str]) -> list[FieldError]:
    if "callback_url" not in data:
        return []
    fault = find_fault(data["callback_url"], hosts)
    return [FieldError("callback_url", fault)] if fault else []
