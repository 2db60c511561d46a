"""Download of a report's files from the store, for clients that may read the store directly."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from reports_worker.domain.report import Receipt, Report, Status
from reports_worker.errors import NoSuchReportError

from .errors import CHANGED, GONE, ArtifactGoneError
from .store import Store, is_safe


def list_receipts(report: Report) -> Sequence[Receipt]:
    """List the receipts of a completed report; raise NoSuchReportError for a report of another status."""
    if report.status is Status.FAILED:
        raise NoSuchReportError("The report has failed: it has no files.")
    if report.status is not Status.COMPLETED:
        raise NoSuchReportError(
            f"The report is {report.status}: its files are available once it is completed."
        )
    return report.artifacts


def find_receipt(report: Report, name: str) -> Receipt:
    """Find the receipt of the file with this name. Raises NoSuchReportError."""
    for receipt in list_receipts(report):
        if receipt.name == name:
            return receipt
    raise NoSuchReportError(f"The report has no file {name[:100]!r}.")


def locate(report: Report, receipt: Receipt) -> tuple[str, str, str]:
    """Return task id, execution and name of a file; raise ArtifactGoneError if the record names no execution."""
    execution = report.artifacts_at or ""
    if not is_safe(execution):
        raise ArtifactGoneError(GONE)
    return report.task_id, execution, receipt.name


def download(
    store: Store, report: Report, receipt: Receipt, folder: Path, *, on_bytes: Callable[[int], object]
) -> Path:
    """Copy a file into a folder, over a file of the same name; the copy appears complete, and verified by its receipt.

    Raises ArtifactGoneError, StorageError, and OSError for the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / receipt.name
    part = folder / f".{receipt.name}.{secrets.token_hex(4)}.part"
    try:
        if _copy(store, report, receipt, part, on_bytes) != receipt.sha256:
            raise ArtifactGoneError(CHANGED)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return path


def _copy(
    store: Store, report: Report, receipt: Receipt, part: Path, on_bytes: Callable[[int], object]
) -> str:
    digest = hashlib.sha256()
    file = store.open(*locate(report, receipt))
    try:
        with part.open("xb") as target:
            for chunk in file.chunks:
                digest.update(chunk)
                target.write(chunk)
                on_bytes(len(chunk))
            target.flush()
            os.fsync(target.fileno())
    finally:
        file.close()
    return digest.hexdigest()
