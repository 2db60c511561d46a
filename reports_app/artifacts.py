"""The files of reports, as they are handed out: whole or in part, never from the process' memory."""

from __future__ import annotations

import re
import threading
from typing import cast
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import wrap_file

from reports_worker import NoSuchReportError, Receipt, Report, ReportsError
from reports_worker.artifacts import ArtifactGoneError, Store

_CHUNK = 2**16
# Nothing in a file runs, wherever a browser shows it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_NOT_FOR_NAMES = re.compile(r"[^\w .()+-]+")
_LONGEST_TITLE = 80


class CrowdedError(ReportsError):
    """All places for downloads are taken."""

    def __init__(self) -> None:
        super().__init__("Too many files are on their way already. Try again in a moment.")


class Downloads:
    """Opens files, so many at a time that slow clients do not take all threads."""

    def __init__(self, store: Store, *, places: int) -> None:
        self._store = store
        self._places = threading.BoundedSemaphore(places)

    def answer(self, report: Report, name: str) -> Response:
        """Answer with a file of a report, or the part of it that was asked for.

        Raises NoSuchReportError, ArtifactGoneError, StorageError, CrowdedError.
        """
        receipt = find_receipt(report, name)
        where = report.task_id, report.artifacts_at or "", receipt.name
        if self._store.measure(*where) != receipt.size:
            raise ArtifactGoneError("This file is not what it was when it was made. Make the report again.")
        if request.method == "HEAD":
            return self._describe(Response(), report, receipt)
        if not self._places.acquire(blocking=False):
            raise CrowdedError
        try:
            file = self._store.open(*where)
        except BaseException:
            self._places.release()
            raise
        answer = Response(wrap_file(request.environ, file, _CHUNK), direct_passthrough=True)
        answer.call_on_close(self._places.release)
        answer.call_on_close(file.close)
        return self._describe(answer, report, receipt)

    def _describe(self, answer: Response, report: Report, receipt: Receipt) -> Response:
        answer.mimetype = receipt.media_type
        answer.content_length = receipt.size
        answer.set_etag(receipt.sha256)
        answer.cache_control.private = True
        answer.cache_control.no_cache = True
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["Content-Disposition"] = name_file(report.title, receipt.name)
        return cast(Response, answer.make_conditional(request.environ, True, receipt.size))


def find_receipt(report: Report, name: str) -> Receipt:
    """Find the receipt of a file of that name."""
    for receipt in report.artifacts:
        if receipt.name == name:
            return receipt
    raise NoSuchReportError(f"The report has no file {name[:100]!r}.")


def name_file(title: str, name: str) -> str:
    """Write the header by which a browser names the file, whatever is in the title (RFC 6266)."""
    readable = " ".join(_NOT_FOR_NAMES.sub(" ", title).split())[:_LONGEST_TITLE].strip(" .")
    full = f"{readable} - {name}" if readable else name
    return f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(full, safe='')}"
