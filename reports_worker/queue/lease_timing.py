"""How long a lease holds, and how often it is renewed and swept."""

from __future__ import annotations

from datetime import timedelta

TICK_SECONDS = 1.0
# Also the longest delay of a cancel, which is read with the renewal. A little less than a tick.
RENEW_EVERY_SECONDS = 0.9
# This, a tick and a renewal that waits for its timeout must together be less than the lease.
LOST_AFTER_SECONDS = 9.0

LEASE = timedelta(seconds=12)
SUSPICION = timedelta(seconds=5)
# After such a time without a sweep, leases that workers hold have expired or nearly expired.
UNATTENDED = timedelta(seconds=8)
# Longer than a client repeats a change that got no answer.
REPETITION = timedelta(seconds=30)
MOST_EXECUTIONS = 4
