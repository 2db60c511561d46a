"""A gunicorn worker whose threads get whole requests, and that shares out connections."""

from __future__ import annotations

import errno
import resource
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from .client_connection import ClientConnection
from .client_socket import NotTakenError
from .request_framing import Extent

# How long a request may take to arrive, and the first of a connection to begin as well.
REQUEST_SECONDS = 10
# How long a client may take nothing of an answer that is there for it.
TAKE_SECONDS = 30
# How long a client may take to close a connection after the last answer, and how much it may send until then.
CLOSE_SECONDS = 2
MOST_BYTES_DROPPED = 1024 * 1024
# What a process keeps of requests that are not whole, and of answers that were not taken.
MOST_BYTES_KEPT = 32 * 1024 * 1024

# For each connection that the process has, up to a few: long enough for another process to come first.
YIELD_SECONDS = 0.0001
MOST_COUNTED = 5
# How long a thread waits for the next request of a connection, and how often in a row.
STAY_SECONDS = 0.001
MOST_IN_A_ROW = 100

Group = dict[ClientConnection, None]

_REFUSALS = {
    Extent.HEAD_TOO_LARGE: (431, "Request Header Fields Too Large"),
    Extent.BODY_TOO_LARGE: (413, "Content Too Large"),
}


class SharingThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Shares out threads among whole requests, and connections among processes.

    The main thread receives from all clients and waits for none of them; a connection goes to a thread when its
    request is whole, or cannot be accepted anyway. So a client that sends slowly costs no thread.

    All processes wait at one socket. The one that wakes first would take all connections of a client that opens
    some at once and keeps them, and serve them with one core, while the others have nothing to do.

    A thread that has answered stays with its connection for a moment, while no other waits for a thread:
    handing the connection to the main thread and back costs more than many an answer.
    """

    def __new__(cls, *args: Any) -> Any:
        """Make gunicorn's own worker where connections bring other things than requests of HTTP/1."""
        *_, cfg, _log = args
        return super().__new__(cls) if _is_plain(cfg) else ThreadWorker(*args)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Those that have sent no whole request, have not taken their answer, or are to close; the oldest first.
        self.arriving: Group = {}
        self.sending: Group = {}
        self.closing: Group = {}
        self.bytes_kept = 0
        # gunicorn accepts no more than so many; what has sent no whole request gives way before.
        self.worker_connections = _limit_connections(self.cfg.worker_connections)

    def accept(self, listener: Any) -> None:
        """Accept a connection; its request is often there already."""
        time.sleep(min(self.nr_conns, MOST_COUNTED) * YIELD_SECONDS)
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
        self._go_on(conn)

    def on_client_socket_readable(self, conn: ClientConnection, client: Any) -> None:
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        conn.receive()
        self._go_on(conn)

    def _receive_more(self, conn: ClientConnection, _: Any) -> None:
        conn.receive()
        self._go_on(conn)

    def _go_on(self, conn: ClientConnection) -> None:
        """Do what comes next for a connection, by what has arrived of its request."""
        if conn.extent is Extent.PARTIAL:
            seconds = REQUEST_SECONDS if self.alive else STOP_KEEPALIVE_LINGER
            self._wait(conn, self.arriving, seconds, EVENT_READ, self._receive_more)
            conn.allow_body()
            return
        self._leave(conn)
        if conn.is_ready:
            self.enqueue_req(conn)
        elif conn.extent is Extent.ENDED:
            self._close(conn)
        else:
            conn.refuse(*_REFUSALS[conn.extent])
            self._close_gently(conn)

    def handle(self, conn: ClientConnection) -> Any:
        """Answer on a thread of the pool; tell whether the connection stays open."""
        kept = self._answer(conn)
        for _ in range(MOST_IN_A_ROW):
            if kept is not True or not self._stay(conn):
                break
            kept = self._answer(conn)
        return kept

    def _answer(self, conn: ClientConnection) -> Any:
        conn.load()
        kept = super().handle(conn)
        if not conn.flush():
            return False
        if kept is True:
            conn.begin()
        return kept

    def handle_request(self, req: Any, conn: ClientConnection) -> Any:
        # The client was told to go on, or has done so by itself.
        req._expected_100_continue = False
        if conn.extent is Extent.REFUSABLE:
            # Where the next request begins is not known.
            req.force_close()
        try:
            return super().handle_request(req, conn)
        except NotTakenError:
            self.log.info("The client does not take its answer, which is cut off.")
            conn.sock.unsent.clear()
            return False

    def _stay(self, conn: ClientConnection) -> bool:
        """Tell whether the connection asks again at once, while no other waits for this thread."""
        if not self.alive or conn.sock.unsent or not self.tpool._work_queue.empty():
            return False
        if conn.extent is Extent.PARTIAL:
            conn.receive(within=STAY_SECONDS)
        return conn.is_ready

    def finish_request(self, conn: ClientConnection, fs: Future[Any]) -> None:
        error = None if fs.cancelled() else fs.exception()
        if error:
            self.log.error("A connection is closed over an unexpected error.", exc_info=error)
        conn.stays = not fs.cancelled() and not error and bool(fs.result())
        self._send_rest(conn)

    def _send_rest(self, conn: ClientConnection, _: Any = None) -> None:
        """Send what the client has not taken of its answer; then wait for its next request, or close."""
        is_there = conn.flush()
        self._leave(conn)
        if conn.sock.unsent:
            self._wait(conn, self.sending, TAKE_SECONDS, EVENT_WRITE, self._send_rest)
        elif not (is_there and conn.stays):
            self._close_gently(conn)
        elif conn.is_idle:
            self._keep(conn)
        else:
            self._go_on(conn)

    def _keep(self, conn: ClientConnection) -> None:
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _close_gently(self, conn: ClientConnection) -> None:
        """Close a connection once the client has: closing at once could take the answer from it (RFC 9112, 9.6).

        gunicorn waits for that in the main thread, where one client holds up all others.
        """
        if conn.end_answers():
            self._wait(conn, self.closing, CLOSE_SECONDS, EVENT_READ, self._drop_bytes)
        else:
            self._close(conn)

    def _drop_bytes(self, conn: ClientConnection, _: Any) -> None:
        if not conn.drop_bytes(MOST_BYTES_DROPPED):
            self._close(conn)

    def _close(self, conn: ClientConnection) -> None:
        self._leave(conn)
        self.nr_conns -= 1
        conn.close()

    def _wait(
        self, conn: ClientConnection, group: Group, seconds: float, event: int, callback: Callable[..., None]
    ) -> None:
        """Have `callback` called when there is something to do for a connection, and close it after `seconds`."""
        if conn not in group:
            conn.timeout = time.monotonic() + seconds
            group[conn] = None
            self.poller.register(conn.sock, event, partial(callback, conn))
        self.bytes_kept += conn.size - conn.counted
        conn.counted = conn.size

    def _leave(self, conn: ClientConnection) -> None:
        for group in (self.arriving, self.sending, self.closing):
            if conn in group:
                del group[conn]
                self.poller.unregister(conn.sock)
        self.bytes_kept -= conn.counted
        conn.counted = 0

    def murder_pending(self) -> None:
        """Close what has had its time, and the oldest of too many; gunicorn calls it after each round of events."""
        now = time.monotonic()
        for group in (self.closing, self.sending, self.arriving):
            while group and next(iter(group)).timeout <= now:
                self._give_up(group)
        while self.bytes_kept > MOST_BYTES_KEPT and self._give_up(self.sending or self.arriving):
            pass
        while self.nr_conns >= self.worker_connections and self._make_room():
            pass

    def _make_room(self) -> bool:
        """Close the connection that is missed least; tell whether there was one."""
        if group := self.closing or self.arriving or self.sending:
            return self._give_up(group)
        if not self.keepalived_conns:
            return False
        conn = self.keepalived_conns.popleft()
        self.poller.unregister(conn.sock)
        self._close(conn)
        return True

    def _give_up(self, group: Group) -> bool:
        """Close the oldest of a group; tell whether there was one."""
        conn = next(iter(group), None)
        if conn is None:
            return False
        if group is self.arriving and not conn.is_idle:
            conn.refuse(408, "Request Timeout")
        self._close(conn)
        return True

    def _cap_keepalive(self, deadline: float) -> None:
        """Give requests that are not whole no more time than connections that stay open; called on SIGTERM."""
        super()._cap_keepalive(deadline)
        for conn in self.arriving:
            conn.timeout = min(conn.timeout, deadline)


def _is_plain(cfg: Any) -> bool:
    return bool(
        cfg.protocol == "http"
        and cfg.proxy_protocol == "off"
        and "h2" not in cfg.http_protocols
        and not (cfg.is_ssl and cfg.do_handshake_on_connect)
    )


def _limit_connections(wanted: int) -> int:
    """Count the connections a process may have: half of its files are left for what else it opens."""
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if most_files == resource.RLIM_INFINITY else min(wanted, most_files // 2)
