"""What a report is, its queue, its types, and the worker that makes it."""

from __future__ import annotations

from .broker import connect
from .broker_addresses import BrokerAddress
from .callback_urls import LONGEST_URL
from .catalog import CATALOG, TYPES
from .door import Reports
from .errors import (
    BrokerUnavailableError,
    FieldError,
    IdempotencyConflictError,
    InvalidSubmissionError,
    NoSuchReportError,
    NoSuchWorkerError,
    ReportsError,
    SettingsError,
    WrongStateError,
)
from .formats.names import FORMATS
from .idempotency import IdempotencyKey
from .model import Accepted, Callback, CallbackStatus, Page, Pause, Progress, Reason, Receipt, Report, Status
from .queue import MOST_LISTED, ReportQueue
from .report_types import Assignment, ReportType
from .selections import Selection
from .settings import Settings
from .submissions import LONGEST_MAX_AGE, LONGEST_TITLE, Submission, parse_submission
from .task_ids import is_task_id
from .type_descriptions import TypeDescription
from .workers import WorkerRecord, WorkerState

__all__ = [
    "CATALOG",
    "FORMATS",
    "LONGEST_MAX_AGE",
    "LONGEST_TITLE",
    "LONGEST_URL",
    "MOST_LISTED",
    "TYPES",
    "Accepted",
    "Assignment",
    "BrokerAddress",
    "BrokerUnavailableError",
    "Callback",
    "CallbackStatus",
    "FieldError",
    "IdempotencyConflictError",
    "IdempotencyKey",
    "InvalidSubmissionError",
    "NoSuchReportError",
    "NoSuchWorkerError",
    "Page",
    "Pause",
    "Progress",
    "Reason",
    "Receipt",
    "Report",
    "ReportQueue",
    "ReportType",
    "Reports",
    "ReportsError",
    "Selection",
    "Settings",
    "SettingsError",
    "Status",
    "Submission",
    "TypeDescription",
    "WorkerRecord",
    "WorkerState",
    "WrongStateError",
    "connect",
    "is_task_id",
    "parse_submission",
]
