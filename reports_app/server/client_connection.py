"""A connection to the API, and what has arrived of its next request."""

from __future__ import annotations

import socket
from typing import Any

from gunicorn import http, util
from gunicorn import sock as gunicorn_sock
from gunicorn.workers.gthread import TConn

from reports_app.contract.limits import MOST_BYTES

from .client_socket import ClientSocket
from .request_framing import Extent, RequestFraming

# What is received of a body: the parser reads up to 1 KiB more than the application needs to refuse one.
MOST_BODY_BYTES = MOST_BYTES + 2048
# TLS gives no more at a time, and a poller does not see what TLS has left.
RECEIVE_BYTES = 16 * 1024

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientConnection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """What a process knows of a connection; its main thread and a thread of its pool use it in turn.

    gunicorn's parser reads what was received: never from the socket, so it never waits.
    """

    sock: ClientSocket
    timeout: float

    def __init__(self, cfg: Any, client: socket.socket, address: Any, server: Any) -> None:
        super().__init__(cfg, client, address, server)
        # The handshake of TLS is part of the first receive.
        self.sock = ClientSocket(gunicorn_sock.ssl_wrap_socket(client, cfg) if cfg.is_ssl else client)
        self.parser = http.get_parser(cfg, (), address)
        self.initialized = True
        # Whether it stays open after the answer that is being sent.
        self.stays = False
        # How much of it its worker has counted, and what was dropped since the last answer.
        self.counted = 0
        self.dropped = 0
        self.begin()

    def begin(self) -> None:
        """Begin the next request, with what came behind the one before."""
        self.framing = RequestFraming(most_body=MOST_BODY_BYTES)
        early = self.parser.unreader.take_buffered()
        self.extent = self.framing.add(early) if early else Extent.PARTIAL

    @property
    def is_ready(self) -> bool:
        """Tell whether a thread can answer the request without waiting for more of it."""
        return self.extent in (Extent.WHOLE, Extent.REFUSABLE)

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing has come of the request."""
        return self.extent is Extent.PARTIAL and not self.framing.data

    @property
    def size(self) -> int:
        """How much memory its data takes while it waits for the client."""
        return len(self.framing.data) + len(self.sock.unsent)

    def receive(self, *, within: float = 0) -> None:
        """Receive what is there, once."""
        try:
            data = self.sock.receive(RECEIVE_BYTES, within=within)
        except OSError:
            data = b""
        if data is not None:
            self.extent = self.framing.add(data)

    def load(self) -> None:
        """Give the parser what has arrived."""
        self.parser.unreader.unread(bytes(self.framing.data))
        self.framing.data.clear()

    def allow_body(self) -> None:
        """Tell a client to send the body that it waits with (RFC 9110, 10.1.1)."""
        if self.framing.expects_continue:
            self.framing.expects_continue = False
            self.sock.sendall(_CONTINUE)
            self.flush()

    def refuse(self, status: int, reason: str) -> None:
        """Answer without a thread, as far as the client takes it."""
        util.write_error(self.sock, status, reason, "")
        self.flush()

    def flush(self) -> bool:
        """Send as much as the client takes; tell whether it is still there."""
        try:
            self.sock.flush()
        except OSError:
            self.sock.unsent.clear()
            return False
        return True

    def end_answers(self) -> bool:
        """Tell the client that no more comes; tell whether it is still there."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def drop_bytes(self, most: int) -> bool:
        """Drop what the client still sends; tell whether to go on, which is up to `most` bytes and its end."""
        try:
            data = self.sock.receive(RECEIVE_BYTES)
        except OSError:
            return False
        self.dropped += len(data or b"")
        return data != b"" and self.dropped <= most
