"""Wait for the broker at the start of a worker."""

from __future__ import annotations

import logging
import time

from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from . import keys
from .address import BrokerAddress

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0


def wait_for_broker(connection: Redis, address: BrokerAddress) -> None:
    """Wait until the broker accepts writes; log the reason of each failed attempt.

    Raises SystemExit where waiting cannot help: over a user, a password or a certificate.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            # RQ makes the same write with each job, so this changes nothing. PING succeeds also on a full disk.
            connection.sadd(keys.QUEUES, keys.QUEUED)
        except RedisError as error:
            if _is_refused(error):
                raise SystemExit(
                    f"This worker does not start: the broker at {address} cannot be used: {error}"
                ) from error
            log.warning("the broker at %s cannot be used yet, so this worker waits: %s", address, error)
        else:
            return
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _is_refused(error: RedisError) -> bool:
    return isinstance(error, (AuthenticationError, NoPermissionError)) or "CERTIFICATE_VERIFY_FAILED" in str(
        error
    )
