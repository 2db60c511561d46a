"""Locks in Redis that expire by themselves."""

from __future__ import annotations

from redis import Redis


def take_lock(connection: Redis, name: str, seconds: int) -> bool:
    """Take a lock that ends by itself after `seconds`; have one end that another has written without an end."""
    if connection.set(name, "1", nx=True, ex=seconds):
        return True
    if not 0 <= connection.ttl(name) <= seconds:
        connection.expire(name, seconds)
    return False
