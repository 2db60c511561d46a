"""The order in which the files of tests are handed to the processes of a run.

Half of the time of the suite is waiting, for processes, brokers and browsers. The files whose tests wait
therefore alternate with those whose tests compute; the files that compute longest come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

T = TypeVar("T")

WAITING = ("tests/e2e/", "tests/integration/", "tests/unit/apphost/")


def put_in_order(tests: Iterable[T], file_of: Callable[[T], str]) -> list[T]:
    """Order tests by their files; the tests of one file stay together and in their order."""
    files: dict[str, list[T]] = {}
    for test in tests:
        files.setdefault(file_of(test), []).append(test)
    waiting = [found for file, found in files.items() if file.startswith(WAITING)]
    computing = [found for file, found in files.items() if not file.startswith(WAITING)]
    return list(chain.from_iterable(_alternate(waiting, sorted(computing, key=len, reverse=True))))


def _alternate(first: Sequence[list[T]], second: Sequence[list[T]]) -> Iterable[list[T]]:
    pairs = zip_longest(first, second, fillvalue=list[T]())
    return (found for pair in pairs for found in pair)
