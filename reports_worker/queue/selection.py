"""Which reports of the list are selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports_worker.domain.report import Status

from .job_hash import read_status

SELECTED_FIELDS = ("status", "type", "title")


@dataclass(frozen=True)
class Selection:
    """A status, a type, words of the title in any case; None selects all."""

    status: Status | None = None
    type: str | None = None
    query: str | None = None

    def includes(self, row: Sequence[bytes | None]) -> bool:
        """Tell from the values of `SELECTED_FIELDS`; a deleted report is never selected."""
        status, kind, title = (value.decode(errors="replace") if value is not None else None for value in row)
        if status is None or title is None:
            return False
        return (
            (self.status is None or read_status(status) is self.status)
            and (self.type is None or kind == self.type)
            and (self.query is None or self.query.casefold() in title.casefold())
        )


EVERYTHING = Selection()
