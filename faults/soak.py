"""Many reports over some workers, while workers, job processes and the broker are killed at random."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from faults.judging.results import Result
from harness.errors import DeadlineError
from harness.processes import kill
from harness.wait import pause, wait_until

from .deployment import Deployment, Needs, deploy, make_folder
from .fault import RECOVERY_OF_BROKER_SECONDS
from .run import judge

NAME = "soak"
# A report may be hit again before it has recovered, and by the broker's death too.
RECOVERY_LIMIT = RECOVERY_OF_BROKER_SECONDS
_STEP = "random"
_SUBMIT_EVERY_SECONDS = 0.008
_BETWEEN_KILLS_SECONDS = (1.0, 4.0)
_BROKER_AWAY_SECONDS = 1.0
_FIND_SECONDS = 5
_TELL_EVERY_SECONDS = 10
_SECONDS_FOR_EACH = 0.1
_LEAST_SECONDS = 120


@dataclass(frozen=True)
class Soak:
    """How much, and with which seed."""

    reports: int = 20_000
    workers: int = 4
    seed: int = 1

    @property
    def title(self) -> str:
        return f"soak: {self.reports:,} reports, {self.workers} workers, random kills"


def run_soak(soak: Soak, tell: Callable[[str], None]) -> Result:
    """Submit all, kill at random meanwhile, wait for the ends, judge."""
    needs = Needs(
        workers=soak.workers, apis=1, report_seconds="0", submit_every_seconds=_SUBMIT_EVERY_SECONDS
    )
    folder = make_folder(NAME)
    limit = _LEAST_SECONDS + _SECONDS_FOR_EACH * soak.reports
    try:
        with deploy(needs, folder, seed=soak.seed) as deployment:
            deployment.load.most = soak.reports
            deployment.load.start()
            kills = _kill_until_submitted(deployment, random.Random(soak.seed), tell, limit)  # noqa: S311
            tell(f"All are submitted, after {_describe(kills)}; waiting for the ends")
            result = judge(NAME, _STEP, deployment, seconds=limit, every_seconds=_TELL_EVERY_SECONDS)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if result.find_broken(recovery_limit=RECOVERY_LIMIT):
        tell(f"What it left stands in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _kill_until_submitted(
    deployment: Deployment, chance: random.Random, tell: Callable[[str], None], limit: float
) -> Counter[str]:
    kills: Counter[str] = Counter()
    begin = told = time.monotonic()
    while not deployment.load.has_ended and time.monotonic() - begin < limit:
        pause(chance.uniform(*_BETWEEN_KILLS_SECONDS))
        what = chance.choices(list(_KILLS), [share for share, _ in _KILLS.values()])[0]
        _KILLS[what][1](deployment, chance)
        kills[what] += 1
        if time.monotonic() - told > _TELL_EVERY_SECONDS:
            told = time.monotonic()
            tell(f"{len(deployment.load.copy_accepted()):,} accepted, {_describe(kills)}")
    return kills


def _describe(kills: Counter[str]) -> str:
    return "killed: " + ", ".join(f"{what} {count}" for what, count in sorted(kills.items()))


def _kill_worker(deployment: Deployment, chance: random.Random) -> None:
    family = chance.choice(deployment.workers).find_family()
    if family:
        deployment.note_injection(*family)
        kill(family[:1])


def _kill_job_process(deployment: Deployment, chance: random.Random) -> None:
    worker = chance.choice(deployment.workers)
    with suppress(DeadlineError):
        making = wait_until(lambda: worker.find_family()[1:], seconds=_FIND_SECONDS, what="a job process")
        deployment.note_injection(*making)
        kill(making)


def _kill_both(deployment: Deployment, chance: random.Random) -> None:
    family = chance.choice(deployment.workers).find_family()
    if family:
        deployment.note_injection(*family)
        kill(family)


def _kill_broker(deployment: Deployment, chance: random.Random) -> None:  # noqa: ARG001
    deployment.note_injection()
    deployment.broker.kill_at_once()
    pause(_BROKER_AWAY_SECONDS)
    deployment.broker.start()
    deployment.note_mend()


_KILLS = {
    "worker": (45, _kill_worker),
    "job process": (35, _kill_job_process),
    "both": (15, _kill_both),
    "broker": (5, _kill_broker),
}
