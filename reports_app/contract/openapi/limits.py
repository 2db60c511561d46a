"""What the code decides and the description states: limits, defaults, and the values of each enumeration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from reports_app.contract.limits import MAX_BODY_BYTES
from reports_app.contract.query_args import DEFAULT_LISTED, LONGEST_WAIT_SECONDS
from reports_worker import (
    FORMATS,
    LONGEST_MAX_AGE,
    LONGEST_TITLE,
    LONGEST_URL,
    MOST_LISTED,
    CallbackStatus,
    Reason,
    Status,
)
from reports_worker.domain.idempotency import KEPT, LONGEST_KEY
from reports_worker.queue.report_queue import MOST_SCANNED


def find_limits(types: Iterable[str]) -> Mapping[str, Any]:
    """Find the value for each place in the files, by name."""
    return {
        "callback_statuses": list(CallbackStatus),
        "default_listed": DEFAULT_LISTED,
        "formats": list(FORMATS),
        "key_hours": KEPT // timedelta(hours=1),
        "longest_key": LONGEST_KEY,
        "longest_max_age_seconds": LONGEST_MAX_AGE // timedelta(seconds=1),
        "longest_title": LONGEST_TITLE,
        "longest_url": LONGEST_URL,
        "longest_wait_seconds": LONGEST_WAIT_SECONDS,
        "most_body_kib": MAX_BODY_BYTES // 1024,
        "most_listed": MOST_LISTED,
        "most_scanned": MOST_SCANNED,
        "reasons": list(Reason),
        "statuses": list(Status),
        "types": list(types),
    }
