"""Settings of reports over real data: the warehouse, the store of files, and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from reports_worker.artifacts.address import StoreAddress, parse_store
from reports_worker.errors import SettingsError
from reports_worker.lib.environ import read
from reports_worker.parameters.calendar import Calendar
from reports_worker.warehouse import address as warehouse_addresses

from .parsing import parse_folders, parse_month, parse_rows, parse_timezone

ARTIFACTS_VARIABLE = "ConnectionStrings__artifacts"
ARTIFACTS = "artifacts"
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class DataSettings:
    """Reports are simulated while there is no `warehouse`.

    `fiscal_year_start` is the number of the month in which the fiscal year begins.
    """

    warehouse: str | None = field(default=None, repr=False)
    artifacts: StoreAddress = field(default_factory=lambda: parse_store(ARTIFACTS), repr=False)
    max_rows: int = 10_000_000
    timezone: ZoneInfo = _UTC
    fiscal_year_start: int = 1
    report_folders: tuple[Path, ...] = ()

    def calendar(self, now: datetime) -> Calendar:
        """Return the calendar of the configured time zone: the current day, and the begin of the fiscal year."""
        return Calendar.at(now, timezone=self.timezone, fiscal_year_start=self.fiscal_year_start)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> DataSettings:
        """Read the settings; raise SettingsError on the first bad one."""
        return cls(
            warehouse=_read_warehouse(environ),
            artifacts=_read_artifacts(environ),
            max_rows=read(environ, "REPORTS_MAX_ROWS", parse_rows, cls.max_rows),
            timezone=read(environ, "REPORTS_TIMEZONE", parse_timezone, cls.timezone),
            fiscal_year_start=read(environ, "REPORTS_FISCAL_YEAR_START", parse_month, cls.fiscal_year_start),
            report_folders=read(environ, "REPORTS_PATH", parse_folders, cls.report_folders),
        )


def _read_artifacts(environ: Mapping[str, str]) -> StoreAddress:
    text = environ.get(ARTIFACTS_VARIABLE, "").strip() or ARTIFACTS
    try:
        return parse_store(text)
    except ValueError as error:
        # The value may contain secrets by mistake, so the message does not repeat it.
        raise SettingsError(f"{ARTIFACTS_VARIABLE} is not valid: {error}") from error


def _read_warehouse(environ: Mapping[str, str]) -> str | None:
    text = environ.get(warehouse_addresses.VARIABLE, "").strip()
    try:
        return text if text and warehouse_addresses.parse_address(text) else None
    except ValueError as error:
        # The value may contain a password, so the message does not repeat it.
        raise SettingsError(f"{warehouse_addresses.VARIABLE} is not valid: {error}") from error
