"""The names of the keys in Redis: RQ's own, and ours beside them."""

from __future__ import annotations

from rq.defaults import RQ_KEY_PREFIX
from rq.suspension import WORKERS_SUSPENDED

QUEUE = "reports"

JOB_PREFIX = f"{RQ_KEY_PREFIX}:job:"
QUEUES = f"{RQ_KEY_PREFIX}:queues"
QUEUE_PREFIX = f"{RQ_KEY_PREFIX}:queue:"
QUEUED = QUEUE_PREFIX + QUEUE
INTERMEDIATE = f"{QUEUED}:intermediate"
STARTED = f"{RQ_KEY_PREFIX}:wip:{QUEUE}"
FINISHED = f"{RQ_KEY_PREFIX}:finished:{QUEUE}"
FAILED = f"{RQ_KEY_PREFIX}:failed:{QUEUE}"
EXECUTION_PREFIX = f"{RQ_KEY_PREFIX}:execution:"
EXECUTIONS_PREFIX = f"{RQ_KEY_PREFIX}:executions:"
WORKER_PREFIX = f"{RQ_KEY_PREFIX}:worker:"
# The keys of all workers of the queue; and where each of them is told what to do.
WORKERS = f"{RQ_KEY_PREFIX}:workers:{QUEUE}"
ALL_WORKERS = f"{RQ_KEY_PREFIX}:workers"
COMMANDS_PREFIX = f"{RQ_KEY_PREFIX}:pubsub:"
# A field of ours in a worker's hash.
DRAINING_SINCE = "draining_since"

# Every report there is, all with score 0, so that they sort by id and so by time.
REGISTRY = f"{RQ_KEY_PREFIX}:reports"
# When each ended report is to go; scores are seconds since 1970 by the server's clock.
EXPIRY = f"{RQ_KEY_PREFIX}:reports:expiry"
# Ids seen in the intermediate queue without a lease; scores as above.
SUSPECTS = f"{RQ_KEY_PREFIX}:reports:suspects"
# Ids of reports whose callback is to be sent; scores say when, by the server's clock.
DELIVERIES = f"{RQ_KEY_PREFIX}:reports:deliveries"
# When somebody swept last, and until when nobody is to; seconds as above.
SWEEP = f"{RQ_KEY_PREFIX}:reports:sweep"
# Held by the one who looks at every report.
RECONCILING = f"{RQ_KEY_PREFIX}:reports:reconciling"
# Ids of reports of which files may have to go; scores say when to look, by the server's clock.
FILES = f"{RQ_KEY_PREFIX}:reports:files"
# Held for an hour by the one who has compared all files with all reports.
COMPARED = f"{RQ_KEY_PREFIX}:reports:compared"
# Which shape the reports have, and how far a migration to a newer one is.
SCHEMA = f"{RQ_KEY_PREFIX}:reports:schema"
# Held by the worker that migrates, for all workers together.
MIGRATING = f"{RQ_KEY_PREFIX}:reports:migrating"
# Members of the keys above that name no report, as they were taken out; the newest first.
FOREIGN = f"{RQ_KEY_PREFIX}:reports:foreign"
LEASE_PREFIX = f"{RQ_KEY_PREFIX}:lease:"
# Told each id of a report that has ended or was deleted.
ENDED_CHANNEL = f"{RQ_KEY_PREFIX}:reports:ended"
# RQ's own: while it is there, no worker begins a report. What it holds says since and until when.
SUSPENDED = WORKERS_SUSPENDED
# Followed by the token of a request that deleted a report.
DELETED_PREFIX = f"{RQ_KEY_PREFIX}:reports:deleted:"
IDEMPOTENCY_PREFIX = f"{RQ_KEY_PREFIX}:reports:idempotency:"

# Followed by the digest of what was asked for: the id of the newest report of that.
NEWEST_PREFIX = f"{RQ_KEY_PREFIX}:reports:newest:"

# The types of the keys that all reports share.
TYPES = {
    QUEUES: "set",
    QUEUED: "list",
    INTERMEDIATE: "list",
    STARTED: "zset",
    FINISHED: "zset",
    FAILED: "zset",
    WORKERS: "set",
    ALL_WORKERS: "set",
    REGISTRY: "zset",
    EXPIRY: "zset",
    SUSPECTS: "zset",
    DELIVERIES: "zset",
    SWEEP: "hash",
    FILES: "zset",
    SCHEMA: "hash",
    FOREIGN: "list",
}


def job(task_id: str) -> str:
    return JOB_PREFIX + task_id


def lease(task_id: str) -> str:
    return LEASE_PREFIX + task_id
