"""Clients for the broker: one server, or the primary that its sentinels name."""

from __future__ import annotations

from typing import Any

from redis import Redis, SSLConnection
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import parse_url
from redis.driver_info import DriverInfo
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from .address import BrokerAddress, Sentinels

# The sentinels are queried in turn, so one sentinel that hangs must not use up the time for all.
SENTINEL_TIMEOUT_SECONDS = 0.25


def connect(address: BrokerAddress, *, timeout_seconds: float = 1.0, retries: int = 1) -> Redis:
    """Make a client, which connects at its first command.

    A command fails after at most `(retries + 1) * timeout_seconds`, a short back-off, and the time of the sentinels.
    TLS certificates and host names are checked unless the URL turns the check off.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(ExponentialBackoff(cap=0.1, base=0.01), retries),
        # With redis-py's defaults, a new connection costs five round trips and reads package metadata from disk.
        "driver_info": None,
        "protocol": 2,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if address.url.startswith("rediss:"):
        options["ssl_check_hostname"] = True
        # TLS 1.3 sends tickets after its handshake. redis-py takes the tickets for an unread reply and refuses the
        # connection, unless a first reply was read with them. The driver info causes such a first reply.
        options["driver_info"] = DriverInfo(lib_version=None)
    if address.sentinels is None:
        return Redis.from_url(address.url, **options)
    return _follow_primary(address.sentinels, options | parse_url(address.url))  # type: ignore[no-untyped-call]


class _Following(SentinelManagedConnection):
    """Queries the sentinels before a command is sent again: redis-py would connect to the previous primary."""

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if not self.is_connected:
            self.connect()  # type: ignore[no-untyped-call]
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]


class _FollowingOverTLS(_Following, SentinelManagedSSLConnection):
    """A following connection over TLS."""


def _follow_primary(sentinels: Sentinels, options: dict[str, Any]) -> Redis:
    """Query the sentinels at each new connection; a demoted primary closes its connections itself."""
    del options["host"]
    is_tls = options.pop("connection_class", None) is SSLConnection
    shared = ("driver_info", "protocol", "maint_notifications_config")
    manager = Sentinel(  # type: ignore[no-untyped-call]  # redis-py's own
        sentinels.addresses,
        sentinel_kwargs={
            **{name: value for name, value in options.items() if name in shared or name.startswith("ssl")},
            **dict(sentinels.credentials),
            "ssl": is_tls,
            "socket_timeout": SENTINEL_TIMEOUT_SECONDS,
            "socket_connect_timeout": SENTINEL_TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        },
    )
    options["connection_class"] = _FollowingOverTLS if is_tls else _Following
    pool = SentinelConnectionPool(sentinels.primary, manager, **options)  # type: ignore[no-untyped-call]
    return Redis.from_pool(pool)
