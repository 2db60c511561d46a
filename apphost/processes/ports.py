"""Ports of this machine: free ports, and the programs that use the others."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

import psutil

from apphost.errors import PortInUseError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server can listen on the port now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen()
        except OSError:
            return False
        return True


def reserve(port: int) -> IO[bytes] | None:
    """Reserve the port against other apphosts of this user until the file is closed; None if it is reserved.

    Without a reservation, two apphosts could find the same port free before either server listens.
    """
    path = Path(tempfile.gettempdir()) / f"apphost-{os.getuid()}-port-{port}"
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "rb")
    except OSError:
        # Another user owns a file of this name.
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def find_free() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def require_free(port: int, variable: str) -> None:
    """Raise PortInUseError with the port, its program if known, and the variable to set."""
    if not is_free(port):
        raise PortInUseError(
            f"Port {port} is in use{_describe_holder(port)}. Stop that program, or set {variable} to another port."
        )


def _describe_holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        # Only the administrator can see the owners of connections.
        return ""
    return ""
