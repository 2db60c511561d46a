"""A broker in memory for the fast tests, and what speaks to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakeredis import FakeStrictRedis
from redis import Redis

from reports_worker import ReportQueue, Submission
from reports_worker.queue.leases import Leases


@pytest.fixture
def connection() -> Redis:
    """A client of an empty broker of its own."""
    return FakeStrictRedis()


@pytest.fixture
def queue(connection: Redis) -> ReportQueue:
    return ReportQueue(connection, timeout=timedelta(hours=1))


@pytest.fixture
def leases(connection: Redis) -> Leases:
    return Leases(connection, retention=timedelta(days=30))


@pytest.fixture
def task_id(queue: ReportQueue) -> str:
    """A report that waits in the queue."""
    return queue.submit(Submission("Quarter", "sales"))
