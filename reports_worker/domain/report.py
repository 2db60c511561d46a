"""What a report is, in values without Redis or Flask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

ANONYMOUS = "anonymous"


class Status(StrEnum):
    """The status of a report. No other word for it leaves this product."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED)


class Reason(StrEnum):
    """Why a report failed, for programs; `Report.error` is for people."""

    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    TOO_LARGE = "too_large"
    REJECTED = "rejected"
    WAREHOUSE_BUSY = "warehouse_busy"
    WAREHOUSE_UNAVAILABLE = "warehouse_unavailable"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    ABANDONED = "abandoned"
    UNKNOWN_TYPE = "unknown_type"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Progress:
    """The progress of a report: whole percent, 0 to 100, and the current stage."""

    percent: int = 0
    stage: str = ""


class CallbackStatus(StrEnum):
    """The status of a callback's delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True)
class Callback:
    """The receiver of a report's end, and its delivery so far."""

    url: str
    status: CallbackStatus = CallbackStatus.PENDING
    attempts: int = 0
    last_status: int | None = None
    last_error: str | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class Pause:
    """No waiting report starts, `until` a time or until the queue is resumed.

    RQ's own `rq suspend` stores no start.
    """

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Condition:
    """The condition of queue and broker: each risk for reports as a sentence, and the pause if there is one."""

    warnings: tuple[str, ...] = ()
    pause: Pause | None = None


@dataclass(frozen=True)
class FileFacts:
    """What one file of a report holds, and what it does not.

    `cut` is the sentence that says why the file does not hold everything; None if it does. `seconds` is how long
    the file took to write.
    """

    format: str
    media_type: str
    seconds: float
    table: str | None = None
    chart: str | None = None
    rows_written: int | None = None
    rows_expected: int | None = None
    cut: str | None = None


@dataclass(frozen=True, kw_only=True)
class Receipt(FileFacts):
    """A file that is kept: its facts, its name, and its bytes: their number and their SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str

    @property
    def is_complete(self) -> bool:
        return self.cut is None


@dataclass(frozen=True)
class Report:
    """One request for a report, its status and its result."""

    task_id: str
    title: str
    type: str
    status: Status
    created_at: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    requester: str = ANONYMOUS
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress: Progress = Progress()
    result: Mapping[str, Any] | None = None
    error: str | None = None
    reason: str | None = None
    position: int | None = None
    callback: Callback | None = None
    pause: Pause | None = None
    artifacts: tuple[Receipt, ...] = ()
    as_of: datetime | None = None
    version: str | None = None
    formats: tuple[str, ...] | None = None
    # The execution that wrote the artifacts.
    artifacts_at: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every file holds everything."""
        return all(receipt.is_complete for receipt in self.artifacts)

    @property
    def cuts(self) -> Sequence[str]:
        """What the files do not hold: one sentence a file, without sentences that are part of another."""
        found = dict.fromkeys(receipt.cut for receipt in self.artifacts if receipt.cut)
        return [cut for cut in found if not any(cut in other for other in found if other != cut)]


@dataclass(frozen=True)
class Accepted:
    """An accepted request: the id and status of its report, and whether an earlier report serves."""

    task_id: str
    status: Status = Status.PENDING
    is_earlier: bool = False


@dataclass(frozen=True)
class Page:
    """Some reports, newest first, and the cursor of those that follow (None at the end).

    `total` counts all reports, and is None for a selection, which is not counted.
    """

    reports: tuple[Report, ...]
    total: int | None
    next_cursor: str | None = None
    pause: Pause | None = None


@dataclass(frozen=True)
class Completed:
    """An end: the summary of the report, as its `result` has it, and the receipts of its files.

    `version` is the version of the definition; `preview` is JSON for the report's own page.
    """

    summary: Mapping[str, Any]
    artifacts: Sequence[Receipt] = ()
    as_of: datetime | None = None
    version: str | None = None
    preview: str | None = None


@dataclass(frozen=True)
class Failed:
    """An end: the reason for programs and one sentence for people."""

    reason: Reason
    error: str


Outcome = Completed | Failed
