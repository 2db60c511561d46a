"""Callbacks that are due, in Redis: which worker sends one, and the outcome of each attempt."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from reports_worker.broker import keys
from reports_worker.domain.report import CallbackStatus, Report
from reports_worker.lib import clock

from .job_hash import FIELDS, read_report
from .scripts import SharedScripts
from .stored_entries import decode_id, log_taken_out

# How long a worker keeps a claimed delivery; then another may claim it. Longer than any attempt takes.
CLAIM = timedelta(seconds=60)
# By the standard, the receiver wants no further messages.
GONE = 410
# Where more deliveries than this are due to busy hosts, they delay the ones behind them.
MOST_PASSED_OVER = 1000
LONGEST_ERROR = 200


@dataclass(frozen=True)
class Delivery:
    """The end of a report, to be delivered now; `ending` counts the ends of the report, which may be retried."""

    report: Report
    url: str
    host: str
    ending: int
    attempts: int

    @property
    def message_id(self) -> str:
        """The same for each attempt, so that receivers recognize a repetition."""
        return f"{self.report.task_id}:{self.ending}"


@dataclass(frozen=True)
class Attempt:
    """The outcome of one attempt: the status of the answer, or why there was none."""

    status: int | None = None
    error: str = ""


def decide(
    attempt: Attempt, *, attempts: int, delays: Sequence[timedelta]
) -> tuple[CallbackStatus, timedelta]:
    """Decide the status of a delivery after so many attempts, and the delay until the next one if it is pending."""
    if attempt.status is not None and 200 <= attempt.status < 300:
        return CallbackStatus.DELIVERED, timedelta()
    if attempt.status == GONE or attempts > len(delays):
        return CallbackStatus.FAILED, timedelta()
    # A foreign number below 1 counts as the first attempt.
    return CallbackStatus.PENDING, delays[max(attempts, 1) - 1]


class Deliveries:
    """The deliveries of all reports. Methods raise redis-py's errors."""

    def __init__(self, connection: Redis, *, retention: timedelta, delays: Sequence[timedelta]) -> None:
        self._run = SharedScripts(connection, retention=retention)
        self._delays = delays

    def claim(self, *, busy: Collection[str] = ()) -> Delivery | None:
        """Claim, for `CLAIM`, the first due delivery to a host that is not busy; None if there is none.

        A record that cannot be read is skipped: a worker of a newer version may read it after `CLAIM`.
        """
        hosts = json.dumps(sorted(busy))
        while found := self._run("claim_delivery", CLAIM.total_seconds(), MOST_PASSED_OVER, hosts, *FIELDS):
            entry, *claimed = cast(list[Any], found)
            task_id = decode_id(entry)
            if task_id is None:
                log_taken_out(entry, keys.DELIVERIES)
                continue
            ending, host, values = claimed
            report = read_report(task_id, values)
            if report is not None and report.callback is not None:
                url, attempts = report.callback.url, report.callback.attempts
                return Delivery(report, url, host.decode(errors="replace"), int(ending), attempts)
        return None

    def record(self, delivery: Delivery, attempt: Attempt, *, now: datetime) -> CallbackStatus | None:
        """Write the outcome of an attempt; None, and nothing written, if the report was deleted or retried."""
        attempts = delivery.attempts + 1
        status, delay = decide(attempt, attempts=attempts, delays=self._delays)
        written = self._run(
            "record_delivery",
            delivery.report.task_id,
            delivery.ending,
            delivery.attempts,
            status,
            delay.total_seconds(),
            "callback_last_status",
            "" if attempt.status is None else attempt.status,
            "callback_last_error",
            attempt.error[:LONGEST_ERROR],
            "callback_delivered_at",
            clock.to_text(now) if status is CallbackStatus.DELIVERED else "",
        )
        return status if written else None
