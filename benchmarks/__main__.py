"""`python -m benchmarks`: measure, print the table, write the page."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from .bench import Extent
from .environments import ROOT
from .errors import BenchmarkError, MissingToolError
from .measures import BY_NAME
from .report import render_page, render_table
from .run import Run, run_all

_PAGE = ROOT / "docs" / "performance.md"
_DONE, _FAILED, _TOOL_IS_MISSING = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    begin = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {what}", flush=True)

    try:
        run = run_all(_choose_extent(options), tell, only=options.only)
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return _TOOL_IS_MISSING
    except BenchmarkError as error:
        print(f"The measurements ended early. {error}", file=sys.stderr)
        return _FAILED
    return _report(run, options)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=_whole, metavar="N", help="rounds of each measurement (5)")
    parser.add_argument("--seconds", type=_whole, metavar="N", help="seconds of each load (2)")
    parser.add_argument("--quick", action="store_true", help="see in a minute that everything works")
    parser.add_argument("--only", choices=list(BY_NAME), help="measure one thing, and print it")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the page here, unless the run is void"
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
    page = render_page(run, _describe_command(options))
    output = options.output or (None if options.quick or options.only else _PAGE)
    if run.is_void or output is None:
        print("\n" + page)
    else:
        output.write_text(page, encoding="utf-8")
        print(f"\n{render_table(run.rows)}\n\nWritten to {output}")
    return _FAILED if run.is_void else _DONE


def _describe_command(options: argparse.Namespace) -> str:
    parts = ["python -m benchmarks", *(["--quick"] if options.quick else [])]
    given = ("only", "rounds", "seconds")
    parts += [f"--{name} {getattr(options, name)}" for name in given if getattr(options, name)]
    return " ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
