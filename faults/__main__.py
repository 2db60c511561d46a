"""`python -m faults`: strike each fault once, or at every step; `... soak`: for long."""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from faults.judging.results import Result
from faults.page.report import render_page, render_table
from faults.page.revision import read_commit
from faults.page.rows import FAULTS_FILE, SOAK_FILE, Row, make_row, merge_rows, read_rows, write_rows
from harness.errors import HarnessError, MissingToolError
from harness.processes import ROOT, interrupt_on_sigterm

from . import soak as soaking
from .choice import choose_scenarios, without_previous_version
from .fault import Fault
from .run import Scenario
from .runner import Outcome, run_all
from .scenarios import FAULTS
from .soak import Soak, run_soak
from .tools import check_tools
from .versions.previous import find_missing_history

_PAGE = ROOT / "docs" / "explanation" / "reliability.md"
_KEPT, _BROKEN, _TOOL_IS_MISSING = 0, 1, 2
_BEGIN = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        return _run_soak(options) if options.command == "soak" else _run_faults(options)
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return _TOOL_IS_MISSING
    except HarnessError as error:
        print(f"The run ended early. {error}", file=sys.stderr)
        return _BROKEN
    except KeyboardInterrupt:
        print("Interrupted: everything that was started has been ended.", file=sys.stderr)
        return _BROKEN


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["soak"], help="many reports under random kills")
    parser.add_argument("--all", action="store_true", help="strike each fault at every step")
    parser.add_argument(
        "--only",
        action="append",
        choices=FAULTS,
        default=[],
        metavar="NAME",
        help="this fault alone; repeatable",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="chooses steps and moments (1)")
    parser.add_argument("--at-once", type=_whole, default=4, metavar="N", help="scenarios at a time (4)")
    parser.add_argument("--reports", type=_whole, metavar="N", help="of the soak (20,000)")
    parser.add_argument("--workers", type=_whole, metavar="N", help="of the soak (4)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write a page of this run alone here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here")
    options = parser.parse_args(arguments)
    if options.command == "soak" and (options.all or options.only):
        parser.error("--all and --only choose faults; a soak has none to choose from")
    if options.command != "soak" and (options.reports or options.workers):
        parser.error("--reports and --workers belong to the soak: python -m faults soak --reports N")
    return options


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _tell(what: str) -> None:
    print(f"{time.monotonic() - _BEGIN:5.0f} s  {what}", flush=True)


# -- faults


def _run_faults(options: argparse.Namespace) -> int:
    commit = read_commit()
    scenarios = list(choose_scenarios(FAULTS, seed=options.seed, each_step=options.all, only=options.only))
    if not (options.all or options.only):
        scenarios = _leave_out_missing(scenarios)
    check_tools(scenario.fault.needs for scenario in scenarios)
    _tell(f"{len(scenarios)} scenarios, {options.at_once} at a time, seed {options.seed}")
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for number, outcome in enumerate(_play(scenarios, options.at_once), 1):
        outcomes[outcome.scenario.fault.name].append(outcome)
        _tell_outcome(outcome, f"{number}/{len(scenarios)}")
    rows = [_make_fault_row(FAULTS[name], outcomes[name], commit) for name in FAULTS if name in outcomes]
    print(f"\n{render_table(rows)}\n")
    if options.all:
        rows_of_all = merge_rows(read_rows(FAULTS_FILE), rows, order=FAULTS)
        write_rows(FAULTS_FILE, rows_of_all)
        _write_page()
    if options.output:
        options.output.write_text(render_page(rows), encoding="utf-8")
    return _conclude(rows, options)


def _leave_out_missing(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Leave out the scenarios with the previous version where a shallow checkout does not have it, and say so."""
    missing = find_missing_history()
    if not missing:
        return list(scenarios)
    kept = without_previous_version(scenarios)
    _tell(f"{len(scenarios) - len(kept)} scenarios are left out. {missing}")
    return kept


def _play(scenarios: Sequence[Scenario], at_once: int) -> Iterator[Outcome]:
    return run_all(scenarios, at_once=at_once, on_running=lambda names: _tell(f"running: {', '.join(names)}"))


def _tell_outcome(outcome: Outcome, count: str) -> None:
    result = outcome.result
    figures = ""
    if result:
        figures = (
            f": {result.accepted} accepted, {result.lost} lost, {result.published_twice} twice, "
            f"overlap {result.overlap_seconds:.1f} s, recovery {result.recovery_seconds:.1f} s"
        )
    verdict = "BROKEN" if outcome.broken else "kept"
    _tell(f"{count} {verdict}: {outcome.scenario.name}{figures} ({outcome.seconds:.0f} s)")
    for sentence in outcome.broken:
        _tell(f"    {sentence}")
    if outcome.broken:
        _tell(f"    What it left stands in {outcome.folder}")


def _make_fault_row(fault: Fault, outcomes: Sequence[Outcome], commit: str) -> Row:
    return make_row(
        [outcome.result for outcome in outcomes if outcome.result],
        name=fault.name,
        title=fault.title,
        steps=", ".join(step for step in fault.steps if any(o.scenario.step is step for o in outcomes)),
        recovery_limit=fault.recovery_seconds,
        unplayed=sum(outcome.result is None for outcome in outcomes),
        commit=commit,
        date=_now(),
    )


# -- soak


def _run_soak(options: argparse.Namespace) -> int:
    given = {"reports": options.reports, "workers": options.workers, "seed": options.seed}
    soak = replace(Soak(), **{name: value for name, value in given.items() if value is not None})
    check_tools([])
    commit = read_commit()
    _tell(f"{soak.title}, seed {soak.seed}")
    result: Result = run_soak(soak, _tell)
    row = make_row(
        [result],
        name=soaking.NAME,
        title=soak.title,
        steps="any",
        recovery_limit=soaking.RECOVERY_LIMIT,
        unplayed=0,
        commit=commit,
        date=_now(),
    )
    print(f"\n{render_table([row])}\n")
    if soak.reports >= Soak().reports:
        write_rows(SOAK_FILE, [row])
        _write_page()
    if options.output:
        options.output.write_text(render_page([row]), encoding="utf-8")
    return _conclude([row], options)


# -- both


def _write_page() -> None:
    """Write the page whole, from what the last full runs of either kind have left: the two never disagree."""
    rows = [*read_rows(FAULTS_FILE).values(), *read_rows(SOAK_FILE).values()]
    _PAGE.write_text(render_page(rows), encoding="utf-8")
    _tell(f"Written to {_PAGE}")


def _conclude(rows: Sequence[Row], options: argparse.Namespace) -> int:
    if options.json:
        write_rows(options.json, rows)
    broken = [row.title for row in rows if not row.is_kept]
    if not broken:
        _tell("Every promise was kept.")
        return _KEPT
    _tell(f"Promises were broken: {'; '.join(broken)}.")
    return _BROKEN


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


if __name__ == "__main__":
    interrupt_on_sigterm()
    sys.exit(main())
