"""The list over an index in which another program has written scores."""

from __future__ import annotations

import pytest
from redis import Redis

from harness.worker_process import Reports
from reports_worker import Selection, Submission
from reports_worker.broker import keys
from reports_worker.domain.task_id import new_task_id
from reports_worker.queue.report_index import PAGE, read_entries
from reports_worker.worker.reconciler import Reconciler

SALES = Submission("Quarter", "sales")
COUNT = 10
MOST_PAGES = 3 * COUNT
SCORES = [
    {0: 5},
    {0: -5},
    {COUNT - 1: 5},
    {COUNT - 1: -5},
    {4: 1, 5: -1},
    {0: float("inf"), 3: float("-inf"), 9: 1e-300},
    {number: -number for number in range(COUNT)},
    {number: number % 3 for number in range(COUNT)},
]


@pytest.fixture
def ids(reports: Reports) -> list[str]:
    """Ids of reports, the oldest first."""
    return [reports.submit(SALES) for _ in range(COUNT)]


def read_pages(reports: Reports, selection: Selection) -> list[str]:
    found, cursor = list[str](), None
    for _ in range(MOST_PAGES):
        page = reports.list(limit=3, cursor=cursor, selection=selection)
        found += [report.task_id for report in page.reports]
        if (cursor := page.next_cursor) is None:
            return found
    raise AssertionError("The pages do not end.")


@pytest.mark.parametrize("scores", SCORES, ids=str)
@pytest.mark.parametrize("selection", [Selection(), Selection(type="sales")], ids=["all", "selected"])
def test_pages_go_forward_and_end_whatever_the_scores_are(
    reports: Reports, redis: Redis, ids: list[str], scores: dict[int, float], selection: Selection
) -> None:
    redis.zadd(keys.REGISTRY, {ids[number]: score for number, score in scores.items()})

    found = read_pages(reports, selection)

    assert found == sorted(set(found), reverse=True)
    assert set(found) <= set(ids)


def test_the_next_look_of_a_worker_shows_all_reports_again_and_logs_once(
    reports: Reports, redis: Redis, ids: list[str], reconciler: Reconciler, caplog: pytest.LogCaptureFixture
) -> None:
    redis.zadd(keys.REGISTRY, {ids[0]: 5, ids[4]: float("-inf")})

    reconciler.check()
    reconciler.check()

    assert read_pages(reports, Selection()) == ids[::-1]
    assert redis.zcount(keys.REGISTRY, 0, 0) == COUNT
    told = [message for message in caplog.messages if "score" in message]
    assert told == ["2 scores in rq:reports were not 0, which hides reports: they are 0 again"]


@pytest.mark.parametrize("scores", SCORES, ids=str)
def test_reading_the_whole_index_ends_whatever_the_scores_are(
    redis: Redis, ids: list[str], scores: dict[int, float]
) -> None:
    redis.zadd(keys.REGISTRY, {ids[number]: score for number, score in scores.items()})

    last, pages = None, 0
    while entries := read_entries(redis, before=last, count=3):
        last, pages = entries[-1], pages + 1
        assert pages < MOST_PAGES


def test_many_scores_are_set_back_in_steps(redis: Redis, reconciler: Reconciler) -> None:
    redis.zadd(keys.REGISTRY, {new_task_id(): (-1) ** number for number in range(2 * PAGE + 7)})

    reconciler.check()

    assert redis.zcount(keys.REGISTRY, 0, 0) == redis.zcard(keys.REGISTRY) == 2 * PAGE + 7
