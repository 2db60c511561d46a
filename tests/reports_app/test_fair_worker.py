"""How new connections are shared out between the processes of the API."""

from __future__ import annotations

from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker

from reports_app.fair_worker import MOST_COUNTED, YIELD_SECONDS, FairWorker


@pytest.mark.parametrize(("connections", "yields"), [(0, 0), (1, 1), (3, 3), (900, MOST_COUNTED)])
def test_a_process_lets_others_go_first_the_longer_the_more_connections_it_has(
    monkeypatch: pytest.MonkeyPatch, connections: int, yields: int
) -> None:
    events: list[Any] = []
    monkeypatch.setattr("reports_app.fair_worker.time.sleep", events.append)
    monkeypatch.setattr(ThreadWorker, "accept", lambda _, listener: events.append(listener))
    worker = FairWorker.__new__(FairWorker)
    worker.nr_conns = connections

    worker.accept("listener")

    assert events == [pytest.approx(yields * YIELD_SECONDS), "listener"]
