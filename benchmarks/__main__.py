"""`python -m benchmarks`: measure, print the table, write the page."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from harness.errors import HarnessError, MissingToolError
from harness.processes import interrupt_on_sigterm

from .bench import Extent
from .environments import ROOT
from .measures import BY_NAME
from .report import list_circumstances, render_page, render_table, render_void
from .results import Result, read_checks, read_result, write_checks, write_result
from .run import Run, run_all
from .void import Check

PAGE = ROOT / "docs" / "explanation" / "performance.md"
_DONE, _FAILED, _TOOL_IS_MISSING = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    if options.page:
        _write_page()
        return _DONE
    begin = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {what}", flush=True)

    try:
        run = run_all(_choose_extent(options), tell, only=options.only)
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return _TOOL_IS_MISSING
    except HarnessError as error:
        print(f"The measurements ended early. {error}", file=sys.stderr)
        return _FAILED
    return _report(run, options)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=_whole, metavar="N", help="rounds of each measurement (5)")
    parser.add_argument("--seconds", type=_whole, metavar="N", help="seconds of each load (2)")
    parser.add_argument("--quick", action="store_true", help="see in a minute that everything works")
    parser.add_argument(
        "--only", choices=list(BY_NAME), help="measure one thing, and renew its rows of the page"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the page here, unless the run is void"
    )
    parser.add_argument(
        "--page", action="store_true", help="write the page from the stored results, measure nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values here")
    return parser.parse_args(arguments)


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _choose_extent(options: argparse.Namespace) -> Extent:
    extent = Extent.quick() if options.quick else Extent()
    chosen = {"rounds": options.rounds, "seconds": options.seconds}
    return replace(extent, **{name: value for name, value in chosen.items() if value})


def _report(run: Run, options: argparse.Namespace) -> int:
    if options.json:
        options.json.write_text(json.dumps(asdict(run), indent=2), encoding="utf-8")
    circumstances = list_circumstances(run, _describe_command(options))
    results = [
        Result(name, rows, run.machine.commit, run.machine.date, circumstances)
        for name, rows in run.rows.items()
    ]
    print(f"\n{render_table(results)}\n")
    if run.is_void:
        print(render_void(run.checks))
        return _FAILED
    if options.output:
        options.output.write_text(render_page(results, run.checks), encoding="utf-8")
    elif not options.quick:
        _renew_page(results, run.checks)
    return _DONE


def _renew_page(results: Sequence[Result], checks: Sequence[Check]) -> None:
    if checks:
        write_checks(checks)
    for result in results:
        write_result(result)
    _write_page()


def _write_page() -> None:
    """Write the page from the newest stored result of each measurement."""
    last = [result for result in map(read_result, BY_NAME) if result]
    PAGE.write_text(render_page(last, read_checks()), encoding="utf-8")
    print(f"Written to {PAGE}")


def _describe_command(options: argparse.Namespace) -> str:
    parts = ["python -m benchmarks", *(["--quick"] if options.quick else [])]
    given = ("only", "rounds", "seconds")
    parts += [f"--{name} {getattr(options, name)}" for name in given if getattr(options, name)]
    return " ".join(parts)


if __name__ == "__main__":
    interrupt_on_sigterm()
    sys.exit(main())
