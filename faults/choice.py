"""Which scenarios a run plays."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping

from .fault import Fault
from .run import Scenario


def choose_scenarios(
    faults: Mapping[str, Fault], *, seed: int, each_step: bool, only: Collection[str] = ()
) -> Iterator[Scenario]:
    """Yield each fault at each of its steps, or at one that the seed chooses, whatever else is run."""
    for fault in faults.values():
        if only and fault.name not in only:
            continue
        chance = random.Random(f"{seed} {fault.name}")  # noqa: S311 - repeatable, nothing secret
        for step in fault.steps if each_step else [chance.choice(fault.steps)]:
            yield Scenario(fault, step, seed=chance.randrange(2**32))


def without_previous_version(scenarios: Iterable[Scenario]) -> list[Scenario]:
    """Return the scenarios that need this tree alone."""
    return [scenario for scenario in scenarios if not scenario.fault.needs.previous_version]
