"""What a report is, its queue, its types, and the worker that makes it."""

from __future__ import annotations

from .broker import BrokerAddress, connect
from .catalog import CATALOG
from .errors import (
    BrokerUnavailableError,
    FieldError,
    InvalidSubmissionError,
    ReportsError,
    SettingsError,
)
from .model import Page, Progress, Reason, Report, Status
from .queue import MOST_LISTED, ReportQueue
from .report_types import Assignment, ReportType
from .settings import Settings
from .submissions import LONGEST_TITLE, Submission, parse_submission
from .task_ids import is_task_id

__all__ = [
    "CATALOG",
    "LONGEST_TITLE",
    "MOST_LISTED",
    "Assignment",
    "BrokerAddress",
    "BrokerUnavailableError",
    "FieldError",
    "InvalidSubmissionError",
    "Page",
    "Progress",
    "Reason",
    "Report",
    "ReportQueue",
    "ReportType",
    "ReportsError",
    "Settings",
    "SettingsError",
    "Status",
    "Submission",
    "connect",
    "is_task_id",
    "parse_submission",
]
