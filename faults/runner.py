"""Running scenarios, several at once, since most of their time is waiting."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from faults.judging.results import Result
from harness.errors import InterruptedRunError, MissingToolError
from harness.wait import INTERRUPTED

from .deployment import make_folder
from .run import Scenario, run_scenario


@dataclass(frozen=True)
class Outcome:
    """What became of one scenario; `broken` are sentences, and then its files stand in `folder`."""

    scenario: Scenario
    result: Result | None
    broken: Sequence[str]
    seconds: float
    folder: Path


def run_all(
    scenarios: Sequence[Scenario], *, at_once: int, on_running: Callable[[Sequence[str]], None]
) -> Iterator[Outcome]:
    """Run scenarios and yield each outcome as it comes; what runs is told to `on_running`.

    An interruption ends every scenario, and then is raised.
    """
    with ThreadPoolExecutor(at_once) as pool:
        try:
            yield from _run_in(pool, scenarios, at_once, on_running)
        except BaseException:
            INTERRUPTED.set()
            raise


def _run_in(
    pool: ThreadPoolExecutor,
    scenarios: Sequence[Scenario],
    at_once: int,
    on_running: Callable[[Sequence[str]], None],
) -> Iterator[Outcome]:
    left, running = list(scenarios), dict[Future[Outcome], str]()
    while left or running:
        while left and len(running) < at_once:
            scenario = left.pop(0)
            running[pool.submit(_run_one, scenario)] = scenario.name
        on_running(list(running.values()))
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            del running[future]
            yield future.result()


def _run_one(scenario: Scenario) -> Outcome:
    begin, folder = time.monotonic(), make_folder(scenario.fault.name)
    result: Result | None = None
    try:
        result = run_scenario(scenario, folder)
        broken = result.find_broken(recovery_limit=scenario.fault.recovery_seconds)
    except (InterruptedRunError, MissingToolError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except Exception as error:  # the others go on, whatever went wrong here
        broken = [f"The scenario could not be played to its end: {type(error).__name__}: {error}"]
    if not broken:
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(scenario, result, broken, time.monotonic() - begin, folder)
