"""Background reports: the client, the queue, the report types and the worker."""

from __future__ import annotations

from reports_worker.broker import key_prefix as _key_prefix  # noqa: F401 - before all other imports of RQ
from reports_worker.broker.address import BrokerAddress
from reports_worker.broker.client import connect
from reports_worker.catalog.find import CATALOG, TYPES
from reports_worker.domain.callback_url import LONGEST_URL
from reports_worker.domain.file_formats import FORMATS
from reports_worker.domain.idempotency import IdempotencyKey
from reports_worker.domain.report import (
    Accepted,
    Callback,
    CallbackStatus,
    Page,
    Pause,
    Progress,
    Reason,
    Receipt,
    Report,
    Status,
)
from reports_worker.domain.submission import LONGEST_MAX_AGE, LONGEST_TITLE, Submission, parse_submission
from reports_worker.domain.task_id import is_task_id
from reports_worker.domain.type_description import TypeDescription
from reports_worker.queue.job_hash import make_report
from reports_worker.queue.report_queue import MOST_LISTED, ReportQueue
from reports_worker.queue.selection import Selection
from reports_worker.queue.worker_records import WorkerRecord, WorkerState
from reports_worker.report_types.report_type import ReportContext, ReportType
from reports_worker.settings.core import Settings

from .client import Reports
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

__version__ = "0.2.0"

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
    "ReportContext",
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
    "make_report",
    "parse_submission",
]

# The name until version 0.2.
Assignment = ReportContext
