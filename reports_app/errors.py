"""The exceptions of the web application."""

from __future__ import annotations

from reports_worker import ReportsError


class TooManyDownloadsError(ReportsError):
    """All download slots are in use."""

    def __init__(self) -> None:
        super().__init__("Too many downloads are running. Try again in a moment.")
