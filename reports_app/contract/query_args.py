"""The parameters in a request's query. Invalid values raise InvalidSubmissionError with the name of each field."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from reports_worker import (
    LONGEST_TITLE,
    MOST_LISTED,
    FieldError,
    InvalidSubmissionError,
    Selection,
    Status,
    is_task_id,
)
from reports_worker.lib.whole_number import is_whole

DEFAULT_LISTED = 100
LONGEST_WAIT_SECONDS = 30
FILTERS = ("status", "type", "q")


def read_paging(*, default_limit: int = DEFAULT_LISTED) -> tuple[int, str | None]:
    """Read `limit` and `cursor`."""
    limit, cursor = request.args.get("limit", str(default_limit)), request.args.get("cursor")
    errors = []
    if not is_whole(limit, 1, MOST_LISTED):
        errors.append(FieldError("limit", f"The limit must be a whole number from 1 to {MOST_LISTED}."))
    if cursor is not None and not is_task_id(cursor):
        errors.append(FieldError("cursor", "The cursor must be the task id from a Link header."))
    if errors:
        raise InvalidSubmissionError(*errors)
    return int(limit), cursor


def read_filters() -> dict[str, str]:
    """Read `status`, `type` and `q` from a form; empty and invalid values are ignored."""
    given = {name: text for name in FILTERS if (text := request.args.get(name, "").strip())}
    return {name: text for name, text in given.items() if not _find_filter_errors({name: text})}


def read_selection() -> Selection:
    """Read `status`, `type` and `q`. The type can be one that no longer exists."""
    if errors := _find_filter_errors(request.args):
        raise InvalidSubmissionError(*errors)
    return make_selection(request.args)


def make_selection(filters: Mapping[str, str]) -> Selection:
    """Make a selection from valid values."""
    status, query = filters.get("status"), filters.get("q", "").strip()
    return Selection(Status(status) if status else None, filters.get("type") or None, query or None)


def _find_filter_errors(filters: Mapping[str, str]) -> list[FieldError]:
    status, query = filters.get("status"), filters.get("q", "").strip()
    errors = []
    if status is not None and status not in set(Status):
        errors.append(FieldError("status", f"The status must be one of {', '.join(Status)}."))
    if len(query) > LONGEST_TITLE:
        errors.append(FieldError("q", f"The search must have at most {LONGEST_TITLE} characters."))
    return errors


def read_wait() -> int:
    """Read `wait` in seconds, 0 by default."""
    if not request.query_string:
        return 0
    text = request.args.get("wait", "0")
    if not is_whole(text, 0, LONGEST_WAIT_SECONDS):
        message = f"The wait must be a whole number of seconds from 0 to {LONGEST_WAIT_SECONDS}."
        raise InvalidSubmissionError(FieldError("wait", message))
    return int(text)
