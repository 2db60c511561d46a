"""What the API raises on purpose."""

from __future__ import annotations

from reports_worker import ReportsError


class TooManyDownloadsError(ReportsError):
    """All places for downloads are taken."""

    def __init__(self) -> None:
        super().__init__("Too many files are on their way already. Try again in a moment.")
