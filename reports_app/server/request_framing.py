"""The end of a request: finds from the received bytes whether the request is complete (RFC 9112, section 6).

Validation is the task of gunicorn's parser. This module recognizes an invalid request only if the end of the
request could otherwise never be found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto

MAX_HEAD_BYTES = 32 * 1024
# Limit of received bytes of a chunked body, as a multiple of the body limit: each chunk has a size line.
MAX_CHUNK_OVERHEAD = 2

_FIELD = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:([^\r]*)")
# HTTP/1.0 has no Expect header.
_EXPECTING = re.compile(rb"[^\r]* http/1\.1(?:\r|$)")
_SIZE = re.compile(rb"([0-9a-f]+)(?:[ \t]*;.*)?", re.IGNORECASE | re.DOTALL)


class Extent(Enum):
    """How much of a request has been received."""

    PARTIAL = auto()
    WHOLE = auto()
    # Enough for the parser or the application to refuse the request.
    REFUSABLE = auto()
    HEAD_TOO_LARGE = auto()
    BODY_TOO_LARGE = auto()
    # The client has closed its sending side before the request is complete.
    ENDED = auto()


class RequestFraming:
    """The received bytes of one request, with the bytes that followed in the same packet.

    A body of up to `max_body` bytes is received completely. A longer Content-Length is refusable at once. A longer
    chunked body is refusable once more than `max_body` bytes are received, since its length is not announced.
    """

    def __init__(self, *, max_body: int) -> None:
        self.data = bytearray()
        # The client waits for "100 Continue" before it sends the body.
        self.expects_continue = False
        self._most_body = max_body
        self._step: Callable[[], Extent | None] = self._find_head
        # The offset at which the next step begins; the end of a body of known length.
        self._at = 0
        self._head_end = 0
        self._size = 0
        self._decoded = 0

    def add(self, data: bytes) -> Extent:
        """Add received bytes; empty bytes mark the end of the stream."""
        if not data:
            return Extent.ENDED
        self.data += data
        while (extent := self._step()) is None:
            pass
        return extent

    def _find_head(self) -> Extent | None:
        # A server ignores one empty line before a request (RFC 9112, 2.2).
        start = 2 if self.data.startswith(b"\r\n") else 0
        end = self.data.find(b"\r\n\r\n", max(start, self._at - 3))
        if (len(self.data) if end < 0 else end) - start > MAX_HEAD_BYTES:
            return Extent.HEAD_TOO_LARGE
        if end < 0:
            if self._has_bare_line_feed() or (start and self.data.startswith(b"\r\n", start)):
                return Extent.REFUSABLE
            self._at = len(self.data)
            return Extent.PARTIAL
        self._at = self._head_end = end + 4
        return self._read_head(self.data[start:end].lower())

    def _read_head(self, head: bytearray) -> Extent | None:
        if b"\r\ncontent-length" not in head and b"\r\ntransfer-encoding" not in head:
            return Extent.WHOLE
        fields = _FIELD.findall(head)
        lengths = [value.strip(b" \t") for name, value in fields if name == b"content-length"]
        codings = [value.strip(b" \t") for name, value in fields if name == b"transfer-encoding"]
        if len(lengths) + bool(codings) > 1:
            return Extent.REFUSABLE
        if codings:
            if codings[-1].rpartition(b",")[2].strip(b" \t") != b"chunked":
                return Extent.REFUSABLE
            self._step = self._read_chunk_size
        else:
            length = _parse_length(lengths[0]) if lengths else 0
            if length is None or length > self._most_body:
                return Extent.REFUSABLE
            self._at += length
            self._step = self._await_length
        expected = [value.strip(b" \t") for name, value in fields if name == b"expect"]
        self.expects_continue = b"100-continue" in expected and _EXPECTING.match(head) is not None
        return None

    def _await_length(self) -> Extent:
        return Extent.WHOLE if len(self.data) >= self._at else Extent.PARTIAL

    def _read_chunk_size(self) -> Extent | None:
        end = self.data.find(b"\r\n", self._at)
        if end < 0:
            return self._await_chunks()
        line = _SIZE.fullmatch(self.data, self._at, end)
        if line is None:
            return Extent.REFUSABLE
        self._size, self._at = int(line[1], 16), end + 2
        self._step = self._skip_chunk if self._size else self._skip_trailers
        return None

    def _skip_chunk(self) -> Extent | None:
        end = self._at + self._size
        if self._decoded + min(self._size, len(self.data) - self._at) > self._most_body:
            return Extent.REFUSABLE
        if len(self.data) < end + 2:
            return self._await_chunks()
        if not self.data.startswith(b"\r\n", end):
            return Extent.REFUSABLE
        self._decoded += self._size
        self._at = end + 2
        self._step = self._read_chunk_size
        return None

    def _skip_trailers(self) -> Extent:
        # Without trailers, the empty line directly follows the size line of the last chunk.
        if self.data.find(b"\r\n\r\n", self._at - 3) >= 0:
            return Extent.WHOLE
        if self._has_bare_line_feed():
            return Extent.REFUSABLE
        self._at = len(self.data)
        return self._await_chunks()

    def _await_chunks(self) -> Extent:
        too_large = len(self.data) - self._head_end > MAX_CHUNK_OVERHEAD * self._most_body
        return Extent.BODY_TOO_LARGE if too_large else Extent.PARTIAL

    def _has_bare_line_feed(self) -> bool:
        """Find a line after `_at` that ends without a carriage return: the end would then never be found."""
        return self.data.count(b"\n", self._at) != self.data.count(b"\r\n", max(self._at - 1, 0))


def _parse_length(value: bytes) -> int | None:
    """Parse a Content-Length; None if the value is no number, or has 20 digits or more."""
    return int(value) if value.isdigit() and len(value) < 20 else None
