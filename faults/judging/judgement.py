"""What the attempt file says: how often each report was published, overlaps, and how soon work went on."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from faults.attempts.attempt_file import Event, Line

_SIGNS_OF_LIFE = (Event.BEGIN, Event.ALIVE, Event.END, Event.PUBLISHED)


@dataclass(frozen=True)
class Attempt:
    """One attempt at a report, from its first sign of life to its last."""

    task_id: str
    name: str
    pid: int
    begin: float
    last: float


def find_attempts(lines: Iterable[Line]) -> Sequence[Attempt]:
    """Find the attempts that began, in the order of their beginnings."""
    signs: dict[tuple[str, str, int], list[Line]] = defaultdict(list)
    for line in lines:
        if line.event in _SIGNS_OF_LIFE:
            signs[line.task_id, line.attempt, line.pid].append(line)
    attempts = [
        Attempt(task_id, name, pid, found[0].at, found[-1].at)
        for (task_id, name, pid), found in signs.items()
        if found[0].event is Event.BEGIN
    ]
    return sorted(attempts, key=lambda attempt: attempt.begin)


def count_published(lines: Iterable[Line]) -> Mapping[str, int]:
    """Count how often each report was published."""
    return Counter(line.task_id for line in lines if line.event is Event.PUBLISHED)


def find_longest_overlap(lines: Sequence[Line]) -> float:
    """Find how long, at most, an attempt lived after a younger one of the same report had begun.

    Silence counts as life, except between SIGSTOP and SIGCONT, which the suite writes down.
    """
    stops = _find_stops(lines)
    by_task: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in find_attempts(lines):
        by_task[attempt.task_id].append(attempt)
    overlaps = (
        _measure_life(younger.begin, older.last, stops[older.pid])
        for attempts in by_task.values()
        for older, younger in combinations(attempts, 2)
    )
    return max(overlaps, default=0.0)


def _measure_life(begin: float, end: float, stops: Iterable[tuple[float, float]]) -> float:
    still = sum(max(0.0, min(end, to) - max(begin, since)) for since, to in stops)
    return max(0.0, end - begin - still)


def _find_stops(lines: Iterable[Line]) -> Mapping[int, Sequence[tuple[float, float]]]:
    stops: dict[int, list[tuple[float, float]]] = defaultdict(list)
    stopped: dict[int, float] = {}
    for line in lines:
        if line.event is Event.STOPPED:
            stopped[line.pid] = line.at
        elif line.event is Event.CONTINUED and line.pid in stopped:
            stops[line.pid].append((stopped.pop(line.pid), line.at))
    for pid, since in stopped.items():
        stops[pid].append((since, math.inf))
    return stops


def find_recoveries(lines: Sequence[Line], *, completed: Collection[str]) -> Iterator[float]:
    """Yield for each fault how long it took until work went on: seconds, infinite where it never did.

    That is until each report that the fault hit was begun again, or published after all; and until any
    report was begun. It counts from the fault, or from its end where that was the broker's.
    """
    for position, line in enumerate(lines):
        if line.event is Event.STRUCK:
            yield _find_recovery(lines, position, completed)


def _find_recovery(lines: Sequence[Line], position: int, completed: Collection[str]) -> float:
    struck, later = lines[position], lines[position + 1 :]
    since = struck.at
    if not struck.pids:
        since = next((line.at for line in later if line.event is Event.MENDED), since)
    begins = (line.at for line in later if line.event is Event.BEGIN and line.at >= since)
    begun = {line.task_id for line in lines[:position] if line.event is Event.BEGIN}
    # Where every report had begun before, only those that the fault hit can go on.
    gone_on = [next(begins, math.inf if set(completed) - begun else since)]
    for task_id in find_hits(lines[:position], struck):
        after = (line.at for line in later if _goes_on(line, task_id))
        gone_on.append(next(after, since if task_id in completed else math.inf))
    return max(0.0, *(at - since for at in gone_on))


def _goes_on(line: Line, task_id: str) -> bool:
    return line.task_id == task_id and line.event in (Event.BEGIN, Event.PUBLISHED)


def find_hits(before: Sequence[Line], struck: Line) -> Collection[str]:
    """Find the reports that the struck processes had in hand; all processes where none is named."""
    in_hand: dict[int, str] = {}
    for line in before:
        if line.event in (Event.TAKEN, Event.BEGIN) and (not struck.pids or line.pid in struck.pids):
            in_hand[line.pid] = line.task_id
    published = {line.task_id for line in before if line.event is Event.PUBLISHED}
    return set(in_hand.values()) - published
