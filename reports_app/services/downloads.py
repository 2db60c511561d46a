"""The files of reports, as they are handed out: whole or in part, never from the process' memory."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Response, request
from werkzeug.datastructures import ContentRange
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from reports_app.errors import TooManyDownloadsError
from reports_worker import Receipt, Report
from reports_worker.artifacts import CHANGED, ArtifactGoneError, OpenFile, Store
from reports_worker.artifacts.download import find_receipt

# Nothing in a file runs, wherever a browser shows it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_NOT_FOR_NAMES = re.compile(r"[^\w .()+-]+")
_LONGEST_TITLE = 80
# A client that takes less than a chunk in this time is given up: it holds a thread.
SEND_SECONDS = 30
# As much as a page: pictures in a page are asked for all at once, and need no place.
SMALL = 2**18

Part = tuple[int, int]


class Downloads:
    """Opens files, so many at a time that slow clients do not take all threads."""

    def __init__(self, store: Store, *, places: int) -> None:
        self._store = store
        self._places = threading.BoundedSemaphore(places)

    def answer(self, report: Report, name: str) -> Response:
        """Answer with a file of a report, or the one part of it that was asked for.

        Raises NoSuchReportError, ArtifactGoneError, StorageError, CrowdedError, and
        RequestedRangeNotSatisfiable.
        """
        receipt = find_receipt(report, name)
        is_known = request.if_none_match.contains_weak(receipt.sha256)
        if is_known or request.method == "HEAD":
            self._check(self._store.measure(*_find_place(report, receipt)), receipt)
            return _describe(Response(status=304 if is_known else 200), report, receipt)
        part = _find_part(receipt)
        body = self._open(report, receipt, part or (0, receipt.size))
        answer = _describe(Response(body), report, receipt)
        if part is not None:
            answer.status_code = 206
            answer.content_length = part[1] - part[0]
            answer.content_range = ContentRange("bytes", *part, receipt.size)
        return answer

    def _open(self, report: Report, receipt: Receipt, part: Part) -> _Body:
        start, end = part
        body = _Body(self._places if end - start > SMALL else None, request.environ.get("gunicorn.socket"))
        try:
            place = _find_place(report, receipt)
            body.file = self._store.open(*place, start=start, end=None if end == receipt.size else end)
            self._check(body.file.size, receipt)
        except BaseException:
            body.close()
            raise
        return body

    @staticmethod
    def _check(size: int, receipt: Receipt) -> None:
        if size != receipt.size:
            raise ArtifactGoneError(CHANGED)


class _Body:
    """What is sent of a file; gives its place back when it is closed, and where nobody closes it, too."""

    def __init__(self, places: threading.BoundedSemaphore | None, socket: Any) -> None:
        """Take a place, where there are `places`; raise CrowdedError if all are taken."""
        self.file: OpenFile | None = None
        self._places: threading.BoundedSemaphore | None = None
        self._socket = socket
        if places is not None and not places.acquire(blocking=False):
            raise TooManyDownloadsError
        self._places = places
        self._set_timeout(SEND_SECONDS)

    def __iter__(self) -> Iterator[bytes]:
        return self.file.chunks if self.file else iter(())

    def close(self) -> None:
        file, self.file = self.file, None
        places, self._places = self._places, None
        if file is not None:
            file.close()
        if places is not None:
            places.release()
        self._set_timeout(None)

    def _set_timeout(self, seconds: float | None) -> None:
        # What gunicorn has for a socket waits for ever; the next request of the connection finds it so again.
        if self._socket is not None and self._socket.fileno() >= 0:
            self._socket.settimeout(seconds)

    def __del__(self) -> None:
        if self.file is not None or self._places is not None:
            self.close()


def name_file(title: str, name: str) -> str:
    """Write the header by which a browser names the file, whatever is in the title (RFC 6266)."""
    readable = " ".join(_NOT_FOR_NAMES.sub(" ", title).split())[:_LONGEST_TITLE].strip(" .")
    full = f"{readable} - {name}" if readable else name
    return f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(full, safe='')}"


def _find_place(report: Report, receipt: Receipt) -> tuple[str, str, str]:
    return report.task_id, report.artifacts_at or "", receipt.name


def _find_part(receipt: Receipt) -> Part | None:
    """Find the part that is asked for; None for all of it, also where several parts are (RFC 9110, 14.2)."""
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != f'"{receipt.sha256}"':
        return None
    part = wanted.range_for_length(receipt.size)
    if part is None:
        raise RequestedRangeNotSatisfiable(receipt.size, description="The file ends before this range.")
    return part


def _describe(answer: Response, report: Report, receipt: Receipt) -> Response:
    answer.content_type = receipt.media_type
    answer.content_length = receipt.size
    answer.set_etag(receipt.sha256)
    answer.accept_ranges = "bytes"
    answer.cache_control.private = True
    answer.cache_control.no_cache = True
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Content-Disposition"] = name_file(report.title, receipt.name)
    return answer
