"""Which scenarios a run plays, and the table of faults."""

from __future__ import annotations

from faults.choice import choose_scenarios
from faults.scenarios import FAULTS

PROMISED = {
    "making-killed", "worker-killed", "both-killed", "files-cut-off", "killed-after-dequeue", "killed-at-publish",
    "worker-terminated", "grace-over", "both-stopped", "worker-stopped", "making-stopped",
    "broker-killed", "broker-away", "broker-paused",
    "cut-off-drop", "cut-off-delay", "cut-off-reset", "cut-off-lost-reply",
    "memory-full", "disk-full", "api-killed-before", "api-killed-after",
    "clock-ahead", "clock-behind", "rolling-restart", "rolling-upgrade",
    "previous-api", "previous-workers",
}  # fmt: skip


def choose(**options: object) -> list[str]:
    given = {"seed": 1, "each_step": False, **options}
    return [scenario.name for scenario in choose_scenarios(FAULTS, **given)]  # type: ignore[arg-type]


def test_every_fault_that_is_promised_is_there() -> None:
    assert FAULTS.keys() == PROMISED


def test_a_short_run_strikes_each_fault_once() -> None:
    names = [name.partition(" ")[0] for name in choose()]

    assert names == list(FAULTS)


def test_a_full_run_strikes_each_fault_at_each_of_its_steps() -> None:
    assert choose(each_step=True) == [
        f"{fault.name} ({step})" for fault in FAULTS.values() for step in fault.steps
    ]


def test_the_seed_decides() -> None:
    assert choose(seed=7) == choose(seed=7)
    assert any(choose(seed=seed) != choose(seed=7) for seed in range(5))


def test_a_fault_strikes_at_the_same_step_whatever_else_is_run() -> None:
    assert choose(seed=7, only=["disk-full"]) == [name for name in choose(seed=7) if "disk-full" in name]
