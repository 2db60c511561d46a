"""How a server process handles SIGTERM, also a very early one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from reports_app.server.graceful_shutdown import resend_early_sigterm


@pytest.fixture
def seen() -> Iterator[list[int]]:
    found: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("early", "heard"),
    [([], []), ([signal.SIGCHLD, signal.SIGTERM], [signal.SIGTERM]), ([signal.SIGHUP], [])],
)
def test_a_signal_to_end_that_was_only_queued_is_heeded(
    early: list[int], heard: list[int], seen: list[int]
) -> None:
    signals: SimpleQueue[int] = SimpleQueue()
    for number in early:
        signals.put(number)

    resend_early_sigterm(signals)

    assert seen == heard
    assert signals.empty()
