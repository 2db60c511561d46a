"""Notifications to systemd: the worker is ready, alive, or stopping. See sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class ServiceManager:
    """The service manager that started this process, if it accepts notifications."""

    def __init__(self, environ: Mapping[str, str], *, pid: int | None = None) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        is_for_this = environ.get("WATCHDOG_PID") in (None, "", str(pid or os.getpid()))
        microseconds = environ.get("WATCHDOG_USEC", "")
        self._watchdog_seconds = int(microseconds) / 1e6 if is_for_this and microseconds.isdecimal() else 0.0

    @property
    def every_seconds(self) -> float | None:
        """The interval of watchdog notifications, half of the watchdog's timeout; None without a watchdog."""
        return self._watchdog_seconds / 2 if self._address and self._watchdog_seconds else None

    def notify(self, state: str) -> None:
        """Send `READY=1`, `WATCHDOG=1` or `STOPPING=1`, without a response."""
        if not self._address:
            return
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel,
            suppress(OSError),
        ):
            channel.setblocking(False)
            channel.sendto(state.encode(), self._address)
