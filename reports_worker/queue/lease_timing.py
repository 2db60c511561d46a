"""How long a lease holds, and how often it is renewed and swept."""

from __future__ import annotations

from datetime import timedelta

TICK_SECONDS = 1.0
# Also how long a cancel waits at most: it is read with the renewal. A little less than a tick.
RENEW_EVERY_SECONDS = 0.9
# A tick and a renewal that waits for its timeout come on top, and all that must be less than the lease.
LOST_AFTER_SECONDS = 9.0

LEASE = timedelta(seconds=12)
SUSPICION = timedelta(seconds=5)
# Leases that were held before such a pause have nearly run out after it, or altogether.
UNATTENDED = timedelta(seconds=8)
# Longer than a client tries to send a change of which it did not hear.
REPETITION = timedelta(seconds=30)
MOST_EXECUTIONS = 4
