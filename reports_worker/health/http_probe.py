"""The HTTP liveness probe of a worker: the server of `GET /alive`, and a client.

The server has one thread. It reads each request in one piece within a second, so that a client that connects and
sends nothing cannot block other probes.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
from http import HTTPStatus

from reports_worker.errors import SettingsError
from reports_worker.settings.probe import ProbeSettings

from .liveness import Liveness

log = logging.getLogger(__name__)

SERVICE = "report-worker"
PATH = "/alive"
REQUEST_SECONDS = 1.0
RESPONSE_SECONDS = 3.0
_LARGEST_REQUEST = 8192
_WAITING_CONNECTIONS = 16
# The address to probe where the server binds all addresses.
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


class Probe:
    """Answers on a thread of its own from `open` on; `refusal` is the reason if `open` has failed."""

    def __init__(self, settings: ProbeSettings, liveness: Liveness) -> None:
        self._settings = settings
        self._liveness = liveness
        self._listener: socket.socket | None = None
        self.refusal: str | None = None

    def open(self) -> None:
        """Listen, if a port is set. A job process must `close` the socket, which it inherits."""
        if self._settings.port is None:
            return
        host, port = self._settings.host, self._settings.port
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            self._listener = socket.create_server(address[:2], family=family, backlog=_WAITING_CONNECTIONS)
        except OSError as error:
            self.refusal = (
                f"it cannot listen at {host}:{port}: {error.strerror or error}. "
                "Set REPORTS_PROBE_PORT and REPORTS_PROBE_HOST to a free port and an address of this machine."
            )
            return
        threading.Thread(target=self._serve, args=[self._listener], name="probe", daemon=True).start()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError as error:
                if listener.fileno() < 0:
                    return
                log.warning("the probe cannot accept connections: %s", error)
                threading.Event().wait(REQUEST_SECONDS)
                continue
            with connection:
                try:
                    connection.settimeout(REQUEST_SECONDS)
                    connection.sendall(self._answer(connection.recv(_LARGEST_REQUEST)))
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    # The client has disconnected, or sends nothing.
                    continue

    def _answer(self, request: bytes) -> bytes:
        method, _, rest = request.partition(b"\r\n")[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD") or path != PATH.encode():
            return _write(HTTPStatus.NOT_FOUND, {"detail": f"This server answers only GET {PATH}."})
        fault = self._liveness.find_fault()
        if fault:
            return _write(
                HTTPStatus.SERVICE_UNAVAILABLE, {"status": "stuck", "service": SERVICE, "reason": fault}
            )
        return _write(HTTPStatus.OK, {"status": "alive", "service": SERVICE})


def _write(status: HTTPStatus, body: dict[str, str]) -> bytes:
    text = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + text


def find_fault(settings: ProbeSettings) -> str | None:
    """Probe the worker; return what is wrong, or None if the worker is alive.

    Raises SettingsError where no port is set.
    """
    if settings.port is None:
        raise SettingsError("REPORTS_PROBE_PORT is not set. Set the same port here and for the worker.")
    host = _LOOPBACK_OF.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=RESPONSE_SECONDS)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        if answer.status == HTTPStatus.OK:
            return None
        return str(json.loads(answer.read()).get("reason") or f"The probe answered {answer.status}.")
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
        return f"No worker answers at {host}:{settings.port}: {error or type(error).__name__}."
    finally:
        connection.close()
