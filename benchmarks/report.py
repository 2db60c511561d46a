"""The page that tells of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .rounds import summarise
from .rows import Row
from .run import Run
from .sides import PROCESSES
from .void import NEEDED_SHARE, Check

_HEAD = ("", "ours", "peer", "ratio", "bar", "met")

_PAGE = Path(__file__).parent / "page.md"


def render_page(run: Run, command: str) -> str:
    """Write the page in Markdown."""
    return _PAGE.read_text(encoding="utf-8").format(
        rounds=run.extent.rounds,
        seconds=run.extent.seconds,
        picked_up=run.extent.picked_up,
        processes=PROCESSES,
        needed=f"{NEEDED_SHARE:.0%}",
        void=f"{_render_void(run.checks)}\n\n" if run.is_void else "",
        table=render_table(run.rows),
        checks=_render_checks(run.checks),
        circumstances=_render_circumstances(run, command),
    )


def render_table(rows: Iterable[Row]) -> str:
    """One line for each measurement."""
    return _tabulate(_HEAD, [_render_row(row) for row in rows])


def _render_row(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else _number(row.ratio)
    bar = "" if row.bar is None else str(row.bar)
    met = {None: "", True: "yes", False: "**no**"}[row.is_met]
    name = f"{row.name} ({row.unit})" if row.unit else row.name
    return name, _render_values(row.ours), _render_values(row.peer), ratio, bar, met


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


def _render_void(checks: Sequence[Check]) -> str:
    slow = ", ".join(f"{check.share:.0%} at {check.concurrency}" for check in checks if check.is_void)
    return (
        f"**This run is void.** The peer reached less than {NEEDED_SHARE:.0%} of what it is known to reach "
        f"beside a bare server ({slow} at a time), so ratios to it would flatter us."
    )


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


def _render_circumstances(run: Run, command: str) -> str:
    machine, extent = run.machine, run.extent
    ours, peer, tools = (_list_versions(run.versions[name]) for name in ("ours", "peer", "tools"))
    stored = ", ".join(f"{count:,}" for count in extent.stored)
    lines = [
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
    ]
    return _tabulate(("", ""), lines)


def _list_versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _tabulate(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))
