"""Locks in Redis that expire."""

from __future__ import annotations

from redis import Redis


def take_lock(connection: Redis, name: str, seconds: int) -> bool:
    """Acquire a lock that expires after `seconds`; set the expiry of a lock that another client wrote without one."""
    if connection.set(name, "1", nx=True, ex=seconds):
        return True
    if not 0 <= connection.ttl(name) <= seconds:
        connection.expire(name, seconds)
    return False
