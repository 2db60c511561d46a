"""Downloads of report files: complete or by range, streamed from the store."""

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
from reports_worker.artifacts.download import find_receipt, locate

# A browser that displays a file runs no script in it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_UNSAFE_IN_NAMES = re.compile(r"[^\w .()+-]+")
_MAX_TITLE_LENGTH = 80
# A client that reads less than a chunk in this time is disconnected: it occupies a thread.
SEND_SECONDS = 30
# Smaller downloads are not counted: a browser requests all pictures of a page at once.
SMALL_BYTES = 2**18

ByteRange = tuple[int, int]


class Downloads:
    """Opens files, at most `max_concurrent` at a time, so that slow clients do not occupy all threads."""

    def __init__(self, store: Store, *, max_concurrent: int) -> None:
        self._store = store
        self._slots = threading.BoundedSemaphore(max_concurrent)

    def respond(self, report: Report, name: str) -> Response:
        """Return a response with a file of a report, or with the requested range of the file.

        Raises NoSuchReportError, ArtifactGoneError, StorageError, TooManyDownloadsError and
        RequestedRangeNotSatisfiable.
        """
        receipt = find_receipt(report, name)
        is_unchanged = request.if_none_match.contains_weak(receipt.sha256)
        if is_unchanged or request.method == "HEAD":
            self._check(self._store.measure(*locate(report, receipt)), receipt)
            return _add_headers(Response(status=304 if is_unchanged else 200), report, receipt)
        byte_range = _find_range(receipt)
        body = self._open(report, receipt, byte_range or (0, receipt.size))
        response = _add_headers(Response(body), report, receipt)
        if byte_range is not None:
            response.status_code = 206
            response.content_length = byte_range[1] - byte_range[0]
            response.content_range = ContentRange("bytes", *byte_range, receipt.size)
        return response

    def _open(self, report: Report, receipt: Receipt, byte_range: ByteRange) -> _Body:
        start, end = byte_range
        body = _Body(
            self._slots if end - start > SMALL_BYTES else None, request.environ.get("gunicorn.socket")
        )
        try:
            place = locate(report, receipt)
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
    """The sent part of a file. Closing releases the download slot; garbage collection also does."""

    def __init__(self, slots: threading.BoundedSemaphore | None, socket: Any) -> None:
        """Acquire a slot unless `slots` is None; raise TooManyDownloadsError if all slots are in use."""
        self.file: OpenFile | None = None
        self._slots: threading.BoundedSemaphore | None = None
        self._socket = socket
        if slots is not None and not slots.acquire(blocking=False):
            raise TooManyDownloadsError
        self._slots = slots
        self._set_timeout(SEND_SECONDS)

    def __iter__(self) -> Iterator[bytes]:
        return self.file.chunks if self.file else iter(())

    def close(self) -> None:
        file, self.file = self.file, None
        slots, self._slots = self._slots, None
        if file is not None:
            file.close()
        if slots is not None:
            slots.release()
        self._set_timeout(None)

    def _set_timeout(self, seconds: float | None) -> None:
        # gunicorn's sockets have no timeout by default. The next request of the connection needs this default again.
        if self._socket is not None and self._socket.fileno() >= 0:
            self._socket.settimeout(seconds)

    def __del__(self) -> None:
        if self.file is not None or self._slots is not None:
            self.close()


def format_disposition(title: str, name: str) -> str:
    """Format the Content-Disposition header, which names the file after the report's title (RFC 6266)."""
    readable = " ".join(_UNSAFE_IN_NAMES.sub(" ", title).split())[:_MAX_TITLE_LENGTH].strip(" .")
    full = f"{readable} - {name}" if readable else name
    return f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(full, safe='')}"


def _find_range(receipt: Receipt) -> ByteRange | None:
    """Return the requested range; None for the complete file, also if several ranges are requested (RFC 9110, 14.2)."""
    requested = request.range
    if requested is None or requested.units != "bytes" or len(requested.ranges) != 1:
        return None
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != f'"{receipt.sha256}"':
        return None
    byte_range = requested.range_for_length(receipt.size)
    if byte_range is None:
        raise RequestedRangeNotSatisfiable(receipt.size, description="The file ends before this range.")
    return byte_range


def _add_headers(response: Response, report: Report, receipt: Receipt) -> Response:
    response.content_type = receipt.media_type
    response.content_length = receipt.size
    response.set_etag(receipt.sha256)
    response.accept_ranges = "bytes"
    response.cache_control.private = True
    response.cache_control.no_cache = True
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Content-Disposition"] = format_disposition(report.title, receipt.name)
    return response
