"""A POST to an address that is checked first, for URLs that strangers choose.

The host is resolved once, and the connection goes only to an address of that answer: a name that resolves
differently a moment later (DNS rebinding) changes nothing. Redirects and proxies are not followed.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
USER_AGENT = "background-reports"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PostError(Exception):
    """There was no answer, or the address is not allowed; the text is one sentence."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool = False,
    tls: ssl.SSLContext | None = None,
    resolve: Resolve | None = None,
    total_seconds: float = TOTAL_SECONDS,
) -> int:
    """POST JSON and return the status of the answer, whose body is not read. Raises PostError.

    Ends within `total_seconds`, however slowly the receiver sends.
    """
    deadline = time.monotonic() + total_seconds
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
    addresses = (resolve or resolve_in_time)(host, port)
    if not allow_private:
        refuse_private(host, addresses)
    try:
        connected = _connect(addresses, port, deadline)
        try:
            if parts.scheme == "https":
                connected.settimeout(_left(deadline))
                context = tls or ssl.create_default_context()
                connected = context.wrap_socket(connected, server_hostname=host)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            given = {"Host": parts.netloc, "User-Agent": USER_AGENT, "Content-Type": "application/json"}
            return _exchange(connected, path, body, {**given, **headers, "Connection": "close"}, deadline)
        finally:
            connected.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= deadline or isinstance(error, TimeoutError):
            raise PostError("There was no answer in time.") from error
        raise PostError(f"It cannot be reached: {error or type(error).__name__}") from error


def refuse_private(host: str, addresses: Sequence[str]) -> None:
    """Raise PostError unless every address is one of the public internet."""
    if not addresses or not all(is_public(ipaddress.ip_address(text)) for text in addresses):
        raise PostError(
            f"{host!r} resolves to an address that is not public; REPORTS_CALLBACK_PRIVATE=true allows it."
        )


def is_public(address: Address) -> bool:
    """Tell whether an address, or the IPv4 address that it stands for, is one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address) and (stands_for := _find_ipv4(address)):
        return is_public(stands_for)
    is_site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or is_site_local)
        and not (isinstance(address, ipaddress.IPv6Address) and address.teredo)
    )


def _find_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets to this one reach."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def resolve_in_time(host: str, port: int) -> Sequence[str]:
    """Resolve a host with the system, for `CONNECT_SECONDS` at most. Raises PostError."""
    answers: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # On a thread, since getaddrinfo has no timeout.
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=CONNECT_SECONDS)
    except queue.Empty:
        raise PostError(f"{host!r} could not be resolved in time.") from None
    if isinstance(answer, Exception):
        raise PostError(f"{host!r} cannot be resolved.") from answer
    return answer


def _connect(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """Connect to the first address that answers; addresses need no second resolution."""
    last: OSError = OSError("it has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=min(CONNECT_SECONDS, _left(deadline)))
        except OSError as error:
            last = error
    raise last


def _exchange(
    connected: socket.socket, path: str, body: bytes, headers: Mapping[str, str], deadline: float
) -> int:
    """Send the request over the open connection, and read the head of the answer."""
    connection = http.client.HTTPConnection("pinned")
    connection.sock = connected
    connected.settimeout(_left(deadline))
    # A socket's own timeout restarts with each byte; this one does not.
    limit = threading.Timer(_left(deadline), _shut, [connected])
    limit.daemon = True
    limit.start()
    try:
        connection.request("POST", path, body, dict(headers))
        status = connection.getresponse().status
        # A head that the time limit cut off looks complete.
        _left(deadline)
        return status
    finally:
        limit.cancel()
        # A process that was forked during the request holds the socket too: closing it would not end the connection.
        _shut(connected)


def _shut(connected: socket.socket) -> None:
    # Not SSLSocket's own method, which removes the TLS state while another thread reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
