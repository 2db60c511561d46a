"""The queue of reports: how they are asked for and looked at. Views know this and never RQ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from . import clock, keys, registry
from .errors import BrokerUnavailableError
from .model import Page, Report
from .records import FIELDS, describe_job, read_report
from .scripts import load_script
from .submissions import Submission
from .task_ids import is_task_id, new_task_id

MOST_LISTED = 500


class ReportQueue:
    """Reports in Redis: each is its RQ job, with fields of ours in the same hash.

    A submit costs one round trip, a status one, a page two. All raise BrokerUnavailableError.
    """

    def __init__(
        self, connection: Redis, *, timeout: timedelta, new_id: Callable[[], str] = new_task_id
    ) -> None:
        self.connection = connection
        self._new_id = new_id
        self._submit = load_script(connection, "submit")
        self._job_fields = describe_job(connection, timeout)

    def submit(self, submission: Submission) -> str:
        """Write the report and queue it, whole or not at all; return its task id."""
        task_id, now = self._new_id(), clock.to_text(clock.now())
        fields = {
            **self._job_fields,
            "created_at": now,
            "enqueued_at": now,
            "title": submission.title,
            "type": submission.type,
            "parameters": json.dumps(submission.parameters, allow_nan=False),
            "requester": submission.requester,
        }
        pairs = [part for pair in fields.items() for part in pair]
        with _translate_errors():
            # redis-py sends again what got no reply: the script then finds the id and does nothing.
            self._submit(
                keys=[keys.job(task_id), keys.REGISTRY, keys.QUEUES, keys.QUEUED], args=[task_id, *pairs]
            )
        return task_id

    def find(self, task_id: str) -> Report | None:
        """Read one report; None if there is none of this id."""
        if not is_task_id(task_id):
            return None
        with _translate_errors():
            values = self.connection.hmget(keys.job(task_id), FIELDS)
        return read_report(task_id, cast(Sequence[bytes | None], values))

    def list(self, *, limit: int = 100, cursor: str | None = None) -> Page:
        """Read a page, newest first; `cursor` is the last id of the page before."""
        with _translate_errors():
            ids, total = registry.read_ids(self.connection, limit=limit + 1, before=cursor)
            rows = self._read_rows(ids[:limit])
        reports = (read_report(task_id, row) for task_id, row in zip(ids, rows, strict=False))
        return Page(
            reports=tuple(report for report in reports if report),
            total=total,
            next_cursor=ids[limit - 1] if len(ids) > limit else None,
        )

    def ping(self) -> None:
        """Make sure that the broker answers."""
        with _translate_errors():
            self.connection.ping()

    def _read_rows(self, ids: Sequence[str]) -> Sequence[Sequence[bytes | None]]:
        if not ids:
            return []
        with self.connection.pipeline(transaction=False) as pipeline:
            for task_id in ids:
                pipeline.hmget(keys.job(task_id), FIELDS)
            return cast(Sequence[Sequence[bytes | None]], pipeline.execute())


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise BrokerUnavailableError(f"The broker cannot be used: {error}") from error
