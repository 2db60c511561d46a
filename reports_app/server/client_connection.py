"""A client's connection to the API, with the received bytes of the next request."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from gunicorn import http, util
from gunicorn import sock as gunicorn_sock
from gunicorn.workers.gthread import TConn

from reports_app.contract.limits import MAX_BODY_BYTES

from .client_socket import ClientSocket
from .request_framing import Extent, RequestFraming

# Received bytes of a body. The application needs one byte above its limit to refuse a body, and gunicorn's parser
# reads up to 1 KiB further.
MAX_RECEIVED_BYTES = MAX_BODY_BYTES + 2048
# The size of a TLS record: a poller does not see bytes that TLS has already read from the socket.
RECEIVE_BYTES = 16 * 1024

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientConnection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection, used in turn by the main thread and by a thread of the pool.

    gunicorn's parser reads from the received bytes and never from the socket, so the parser never waits.
    """

    sock: ClientSocket
    timeout: float

    def __init__(self, cfg: Any, client: socket.socket, address: Any, server: Any) -> None:
        super().__init__(cfg, client, address, server)
        # The TLS handshake is part of the first receive.
        self.sock = ClientSocket(gunicorn_sock.ssl_wrap_socket(client, cfg) if cfg.is_ssl else client)
        self.parser = http.get_parser(cfg, (), address)
        self.initialized = True
        # Whether the connection stays open after the response that is being sent.
        self.keeps_open = False
        # The part of `size` that the worker has counted, and the input discarded since the last response.
        self.counted_bytes = 0
        self.discarded_bytes = 0
        self.begin()

    def begin(self) -> None:
        """Begin the next request, with the bytes that followed the previous request."""
        self.framing = RequestFraming(max_body=MAX_RECEIVED_BYTES)
        early = self.parser.unreader.take_buffered()
        self.extent = self.framing.add(early) if early else Extent.PARTIAL

    @property
    def is_ready(self) -> bool:
        """Whether a thread can handle the request without waiting for more bytes."""
        return self.extent in (Extent.WHOLE, Extent.REFUSABLE)

    @property
    def is_idle(self) -> bool:
        """Whether no byte of the request has arrived."""
        return self.extent is Extent.PARTIAL and not self.framing.data

    @property
    def size(self) -> int:
        """The bytes that the connection holds in memory while the worker waits for the client."""
        return len(self.framing.data) + len(self.sock.unsent)

    def receive(self, *, within: float = 0) -> None:
        """Receive once; wait for bytes `within` seconds at most."""
        try:
            data = self.sock.receive(RECEIVE_BYTES, within=within)
        except OSError:
            data = b""
        if data is not None:
            self.extent = self.framing.add(data)

    def load(self) -> None:
        """Give the received bytes to gunicorn's parser."""
        self.parser.unreader.unread(bytes(self.framing.data))
        self.framing.data.clear()

    def allow_body(self) -> None:
        """Send "100 Continue" to a client that waits for it before sending the body (RFC 9110, 10.1.1)."""
        if self.framing.expects_continue:
            self.framing.expects_continue = False
            self.sock.unsent += _CONTINUE
            self.flush()

    def refuse(self, status: int, reason: str) -> None:
        """Send an error response from the main thread, without waiting for the client."""
        with suppress(OSError):
            util.write_error(self.sock, status, reason, "")
        self.flush()

    def flush(self) -> bool:
        """Send as much as the client accepts; return whether the client is still connected."""
        try:
            self.sock.flush()
        except OSError:
            self.sock.unsent.clear()
            return False
        return True

    def shut_down_sending(self) -> bool:
        """Shut down the sending side; return whether the client is still connected."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def discard_input(self, limit: int) -> bool:
        """Discard further input; return False at its end and above `limit` bytes."""
        try:
            data = self.sock.receive(RECEIVE_BYTES)
        except OSError:
            return False
        self.discarded_bytes += len(data or b"")
        return data != b"" and self.discarded_bytes <= limit
