"""The page that tells of the last full runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from faults.fault import OVERLAP_SECONDS, RECOVERY_OF_BROKER_SECONDS, RECOVERY_SECONDS
from faults.page.rows import Row

_HEAD = (
    "fault",
    "at",
    "accepted",
    "lost",
    "published twice",
    "longest overlap",
    "slowest recovery",
    "commit",
    "date",
)
_PAGE = Path(__file__).parent / "page.md"


def render_page(rows: Sequence[Row]) -> str:
    """Write the page in Markdown."""
    return _PAGE.read_text(encoding="utf-8").format(
        recovery=RECOVERY_SECONDS,
        broker_recovery=RECOVERY_OF_BROKER_SECONDS,
        summary=_summarise(rows),
        table=render_table(rows),
    )


def render_table(rows: Iterable[Row]) -> str:
    """One line for each fault; what breaks a promise stands out."""
    rule = ["---"] * len(_HEAD)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (_HEAD, rule, *map(_render_row, rows)))


def _summarise(rows: Sequence[Row]) -> str:
    broken = [row.title for row in rows if not row.is_kept]
    if not broken:
        return "In these runs every promise was kept."
    return f"**In these runs promises were broken: {'; '.join(broken)}.**"


def _render_row(row: Row) -> tuple[str, ...]:
    recovery = "never" if row.recovery_seconds is None else f"{row.recovery_seconds:.1f} s"
    is_late = row.recovery_seconds is None or row.recovery_seconds > row.recovery_limit
    title = row.title + ("" if row.is_kept else f" (**broken**{_render_complaints(row)})")
    return (
        title,
        row.steps,
        f"{row.accepted:,}",
        _mark(str(row.lost), is_bad=row.lost > 0),
        _mark(str(row.published_twice), is_bad=row.published_twice > 0),
        _mark(f"{row.overlap_seconds:.1f} s", is_bad=row.overlap_seconds > OVERLAP_SECONDS),
        _mark(recovery, is_bad=is_late),
        row.commit,
        row.date,
    )


def _render_complaints(row: Row) -> str:
    unplayed = [f"{row.unplayed} scenarios could not be played to their end."] if row.unplayed else []
    return "".join(f"; {complaint}" for complaint in (*unplayed, *sorted(set(row.complaints))))


def _mark(text: str, *, is_bad: bool) -> str:
    return f"**{text}**" if is_bad else text
