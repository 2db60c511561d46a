"""A gunicorn worker whose threads get complete requests, and that balances connections among processes."""

from __future__ import annotations

import errno
import resource
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from io import BytesIO
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.http.body import Body, ChunkedReader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from .client_connection import ClientConnection
from .client_socket import SlowClientError
from .request_framing import Extent

# How long a request may take to arrive; also how long a new connection may stay silent.
REQUEST_SECONDS = 10
# How long a client may read nothing of a response.
SEND_STALL_SECONDS = 30
# How long a client may take to close the connection after the last response, and how much it may send until then.
CLOSE_SECONDS = 2
MAX_DISCARDED_BYTES = 1024 * 1024
# The memory of a process for incomplete requests and unsent responses.
MAX_BUFFERED_BYTES = 32 * 1024 * 1024

# The delay before an accept for each open connection, up to MAX_YIELDS: enough for another process to accept first.
YIELD_SECONDS = 0.0001
MAX_YIELDS = 5
# How long a thread waits for the next request of a connection, and how often in succession.
NEXT_REQUEST_SECONDS = 0.001
MAX_CONSECUTIVE_REQUESTS = 100

Group = dict[ClientConnection, None]

_REFUSALS = {
    Extent.HEAD_TOO_LARGE: (431, "Request Header Fields Too Large"),
    Extent.BODY_TOO_LARGE: (413, "Content Too Large"),
}


class SharingThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Distributes complete requests among threads, and connections among processes.

    The main thread waits for all clients, and never for a single one. A new connection goes to a thread when its
    request is complete or must be refused. A kept connection goes to a thread when its next request begins, and
    returns to the main thread if the request is not complete in a moment. A client that sends slowly therefore
    occupies no thread.

    All processes accept from one socket. The process that wakes first would accept all connections that a client
    opens at once, and would serve them with one core while the other processes are idle.

    After a response, a thread keeps its connection for a moment if no other request waits for a thread. Passing
    the connection to the main thread and back costs more than many responses.
    """

    def __new__(cls, *args: Any) -> Any:
        """Create gunicorn's own worker for connections with other protocols than plain HTTP/1."""
        *_, cfg, _log = args
        return super().__new__(cls) if _is_plain(cfg) else ThreadWorker(*args)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Connections with an incomplete request, with an unsent response, and before their end; the oldest first.
        self.receiving: Group = {}
        self.sending: Group = {}
        self.closing: Group = {}
        self.buffered_bytes = 0
        # The limit of gunicorn's accept loop. `murder_pending` closes connections before the limit is reached.
        self.worker_connections = _limit_connections(self.cfg.worker_connections)

    def accept(self, listener: Any) -> None:
        """Accept a connection; its first request has often arrived already."""
        time.sleep(min(self.nr_conns, MAX_YIELDS) * YIELD_SECONDS)
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        try:
            conn = ClientConnection(self.cfg, client, address, listener.getsockname())
        except OSError:
            client.close()
            return
        self.nr_conns += 1
        conn.receive()
        self._process(conn)

    def on_client_socket_readable(self, conn: ClientConnection, client: Any) -> None:
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        # The thread receives the request: it has mostly arrived, or arrives at once.
        self.enqueue_req(conn)

    def _continue_receiving(self, conn: ClientConnection, _: Any) -> None:
        conn.receive()
        self._process(conn)

    def _process(self, conn: ClientConnection) -> None:
        """Choose the next step of a connection from the received part of its request."""
        if conn.extent is Extent.PARTIAL:
            seconds = REQUEST_SECONDS if self.alive else STOP_KEEPALIVE_LINGER
            self._register(conn, self.receiving, seconds, EVENT_READ, self._continue_receiving)
            conn.allow_body()
            return
        self._unregister(conn)
        if conn.is_ready:
            self.enqueue_req(conn)
        elif conn.extent is Extent.ENDED:
            self._close(conn)
        else:
            conn.refuse(*_REFUSALS[conn.extent])
            self._close_after_client(conn)

    def handle(self, conn: ClientConnection) -> Any:
        """Handle requests on a thread of the pool; return whether the connection stays open.

        A connection whose request has not arrived in a moment goes back to the main thread.
        """
        if conn.extent is Extent.PARTIAL:
            conn.receive()
            _await_rest(conn)
        kept: Any = True
        for _ in range(MAX_CONSECUTIVE_REQUESTS):
            if not conn.is_ready:
                break
            kept = self._respond(conn)
            if kept is not True or not self._has_next_request(conn):
                break
        return kept

    def _respond(self, conn: ClientConnection) -> Any:
        conn.load()
        conn.sock.holds_head = True
        kept = super().handle(conn)
        if not conn.flush():
            return False
        if kept is True:
            conn.begin()
        return kept

    def handle_request(self, req: Any, conn: ClientConnection) -> Any:
        # The main thread has sent "100 Continue", or the client did not wait for it.
        req._expected_100_continue = False
        if conn.extent is Extent.REFUSABLE:
            # The start of the next request is unknown.
            req.force_close()
        elif isinstance(req.body.reader, ChunkedReader):
            # An invalid chunk or trailer is refused before the application responds. The whole body is in memory.
            req.body = Body(BytesIO(req.body.read()))
        try:
            return super().handle_request(req, conn)
        except SlowClientError:
            self.log.info("A client does not read its response: the connection is closed.")
            conn.sock.unsent.clear()
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Send an error response, unless the response to the request has begun: the connection then only closes.

        A proxy could give a second response to another client.
        """
        if client.holds_head:
            super().handle_error(req, client, addr, exc)
        else:
            self.log.error("An error followed a response: the connection is closed.", exc_info=exc)

    def _has_next_request(self, conn: ClientConnection) -> bool:
        """Whether the next request follows at once, and no other request waits for this thread."""
        if not self.alive or conn.sock.unsent or not self.tpool._work_queue.empty():
            return False
        if conn.extent is Extent.PARTIAL:
            conn.receive(within=NEXT_REQUEST_SECONDS)
            _await_rest(conn)
        return conn.is_ready

    def finish_request(self, conn: ClientConnection, fs: Future[Any]) -> None:
        error = None if fs.cancelled() else fs.exception()
        if error:
            self.log.error("An unexpected error occurred: the connection is closed.", exc_info=error)
        conn.keeps_open = not fs.cancelled() and not error and bool(fs.result())
        self._send_rest(conn)

    def _send_rest(self, conn: ClientConnection, _: Any = None) -> None:
        """Send the rest of the response; then wait for the next request, or close the connection."""
        is_there = conn.flush()
        self._unregister(conn)
        if conn.sock.unsent:
            self._register(conn, self.sending, SEND_STALL_SECONDS, EVENT_WRITE, self._send_rest)
        elif not (is_there and conn.keeps_open):
            self._close_after_client(conn)
        elif conn.is_idle:
            self._keep_alive(conn)
        else:
            self._process(conn)

    def _keep_alive(self, conn: ClientConnection) -> None:
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _close_after_client(self, conn: ClientConnection) -> None:
        """Close the connection after the client does: an earlier close can lose the response (RFC 9112, 9.6).

        gunicorn's worker waits for the client in the main thread, where one client delays all others.
        """
        if conn.shut_down_sending():
            self._register(conn, self.closing, CLOSE_SECONDS, EVENT_READ, self._drop_bytes)
        else:
            self._close(conn)

    def _drop_bytes(self, conn: ClientConnection, _: Any) -> None:
        if not conn.discard_input(MAX_DISCARDED_BYTES):
            self._close(conn)

    def _close(self, conn: ClientConnection) -> None:
        self._unregister(conn)
        self.nr_conns -= 1
        conn.close()

    def _register(
        self, conn: ClientConnection, group: Group, seconds: float, event: int, callback: Callable[..., None]
    ) -> None:
        """Call `callback` on the next `event` of a connection, and close the connection after `seconds`."""
        if conn not in group:
            conn.timeout = time.monotonic() + seconds
            group[conn] = None
            self.poller.register(conn.sock, event, partial(callback, conn))
        self.buffered_bytes += conn.size - conn.counted_bytes
        conn.counted_bytes = conn.size

    def _unregister(self, conn: ClientConnection) -> None:
        for group in (self.receiving, self.sending, self.closing):
            if conn in group:
                del group[conn]
                self.poller.unregister(conn.sock)
        self.buffered_bytes -= conn.counted_bytes
        conn.counted_bytes = 0

    def murder_pending(self) -> None:
        """Close connections whose time is over, then the oldest above the limits.

        gunicorn calls this method after each round of events.
        """
        now = time.monotonic()
        for group in (self.closing, self.sending, self.receiving):
            while group and next(iter(group)).timeout <= now:
                self._close_oldest(group)
        while self.buffered_bytes > MAX_BUFFERED_BYTES and self._close_oldest(self.sending or self.receiving):
            pass
        while self.nr_conns >= self.worker_connections and self._evict_one():
            pass

    def _evict_one(self) -> bool:
        """Close one connection, those without a running request first; return whether there was one."""
        if group := self.closing or self.receiving or self.sending:
            return self._close_oldest(group)
        if not self.keepalived_conns:
            return False
        conn = self.keepalived_conns.popleft()
        self.poller.unregister(conn.sock)
        self._close(conn)
        return True

    def _close_oldest(self, group: Group) -> bool:
        """Close the oldest connection of a group; return whether there was one."""
        conn = next(iter(group), None)
        if conn is None:
            return False
        if group is self.receiving and not conn.is_idle:
            conn.refuse(408, "Request Timeout")
        self._close(conn)
        return True

    def _cap_keepalive(self, deadline: float) -> None:
        """Apply the deadline of idle connections to incomplete requests too; called on SIGTERM."""
        super()._cap_keepalive(deadline)
        for conn in self.receiving:
            conn.timeout = min(conn.timeout, deadline)


def _await_rest(conn: ClientConnection) -> None:
    """Receive the rest of a request if it arrives in a moment: many clients send head and body separately."""
    if conn.extent is Extent.PARTIAL and not conn.is_idle:
        conn.receive(within=NEXT_REQUEST_SECONDS)


def _is_plain(cfg: Any) -> bool:
    return bool(
        cfg.protocol == "http"
        and cfg.proxy_protocol == "off"
        and "h2" not in cfg.http_protocols
        and not (cfg.is_ssl and cfg.do_handshake_on_connect)
    )


def _limit_connections(wanted: int) -> int:
    """Limit connections to half of the file descriptors: the process needs the rest for other files."""
    max_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if max_files == resource.RLIM_INFINITY else min(wanted, max_files // 2)
