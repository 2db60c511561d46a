"""The page that tells of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .bench import Extent
from .results import Result
from .rounds import summarise
from .rows import Row
from .run import Run
from .targets import PROCESSES
from .void import NEEDED_SHARE, Check

_HEAD = ("", "ours", "peer", "ratio", "bar", "met", "commit", "date")

# The circumstance that tells runs apart.
_NAME_OF_RUN = "date"

_PAGE = Path(__file__).parent / "page.md"


def render_page(results: Sequence[Result], checks: Sequence[Check]) -> str:
    """Write the page in Markdown."""
    extent = Extent()
    return _PAGE.read_text(encoding="utf-8").format(
        rounds=extent.rounds,
        seconds=extent.seconds,
        picked_up=extent.picked_up,
        processes=PROCESSES,
        needed=f"{NEEDED_SHARE:.0%}",
        table=render_table(results),
        checks=_render_checks(checks),
        circumstances=_render_circumstances(results),
    )


def render_table(results: Iterable[Result]) -> str:
    """One line for each measurement."""
    return _tabulate(_HEAD, [_render_row(row, result) for result in results for row in result.rows])


def render_void(checks: Sequence[Check]) -> str:
    """Say why a run does not count."""
    slow = ", ".join(f"{check.share:.0%} at {check.concurrency}" for check in checks if check.is_void)
    return (
        f"This run is void: the peer reached less than {NEEDED_SHARE:.0%} of what it is known to reach "
        f"beside a bare server ({slow} at a time), so ratios to it would flatter us."
    )


def list_circumstances(run: Run, command: str) -> Sequence[tuple[str, str]]:
    """Say on what machine, with what, and how much was measured."""
    machine, extent = run.machine, run.extent
    ours, peer, tools = (_list_versions(run.versions[name]) for name in ("ours", "peer", "tools"))
    stored = ", ".join(f"{count:,}" for count in extent.stored)
    return [
        ("date", machine.date),
        ("commit", machine.commit),
        ("command", f"`{command}`"),
        (
            "machine",
            f"{machine.processor}, {machine.cores} cores, {machine.memory_gb:g} GB, {machine.kernel}",
        ),
        ("load average before", f"{machine.load_before:g}"),
        ("Python", machine.python),
        ("ours", ours),
        ("peer", peer),
        ("tools", tools),
        ("rounds", str(extent.rounds)),
        ("seconds for each load", str(extent.seconds)),
        ("stored for the list", stored),
        ("started from idle, each round", str(extent.picked_up)),
        ("made, each round", f"{extent.made_by_us} by us, {extent.made_by_peer} by the peer"),
        ("rows into files", f"{extent.exported:,}"),
        ("orders", f"{extent.orders:,} in Parquet, {extent.orders_in_server:,} in PostgreSQL"),
    ]


def _render_row(row: Row, result: Result) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else _number(row.ratio)
    bar = "" if row.bar is None else str(row.bar)
    met = {None: "", True: "yes", False: "**no**"}[row.is_met]
    name = f"{row.name} ({row.unit})" if row.unit else row.name
    values = _render_values(row.ours), _render_values(row.peer)
    return name, *values, ratio, bar, met, result.commit, result.date


def _render_values(values: Sequence[float]) -> str:
    if not values:
        return ""
    spread = summarise(values)
    middle = _number(spread.median)
    if len(values) == 1:
        return middle
    return f"{middle} ({_number(spread.least)} to {_number(spread.most)})"


def _number(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _render_checks(checks: Sequence[Check]) -> str:
    head = ("submits at a time", "peer to bare server", "recorded", "reached")
    lines = [
        (
            str(check.concurrency),
            _render_fraction(check.ratios),
            f"{check.recorded:.3f}",
            f"{check.share:.0%}",
        )
        for check in checks
    ]
    return _tabulate(head, lines)


def _render_fraction(values: Sequence[float]) -> str:
    spread = summarise(values)
    return f"{spread.median:.3f} ({spread.least:.3f} to {spread.most:.3f})"


def _render_circumstances(results: Sequence[Result]) -> str:
    """One line for each value, with the runs that had the value; a run is named by its date."""
    runs = {result.date: dict(result.circumstances) for result in results}
    names = dict.fromkeys(name for run in runs.values() for name in run if name != _NAME_OF_RUN)
    lines = [
        (name, value, "all" if dates == list(runs) else ", ".join(dates))
        for name in names
        for value, dates in _group_by_value(name, runs).items()
    ]
    return _tabulate(("", "value", "runs of"), lines)


def _group_by_value(name: str, runs: Mapping[str, Mapping[str, str]]) -> Mapping[str, Sequence[str]]:
    dates: dict[str, list[str]] = {}
    for date, run in runs.items():
        if name in run:
            dates.setdefault(run[name], []).append(date)
    return dates


def _list_versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _tabulate(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))
