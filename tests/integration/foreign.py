"""What is no report, as others may write it into any key, and what the product has set aside of it."""

from __future__ import annotations

from typing import Any, cast

from redis import Redis

from reports_worker.broker import keys

FOREIGN = [b"\xff\xfe", b"", b"../../etc/passwd", b"<img src=x>", b"bad.id", b"x" * 10**5, b"0", b"z"]


def read_quarantine(redis: Redis) -> list[bytes]:
    return sorted(cast(list[bytes], redis.lrange(keys.FOREIGN, 0, -1)))


def scores(value: float = 0) -> dict[Any, float]:
    return dict.fromkeys(FOREIGN, value)
