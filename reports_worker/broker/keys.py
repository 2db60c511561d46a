"""The names of the keys in Redis: RQ's own, and those of this product."""

from __future__ import annotations

from rq.suspension import WORKERS_SUSPENDED

from .key_prefix import RQ_KEY_PREFIX

QUEUE = "reports"

JOB_PREFIX = f"{RQ_KEY_PREFIX}:job:"
QUEUES = f"{RQ_KEY_PREFIX}:queues"
QUEUE_PREFIX = f"{RQ_KEY_PREFIX}:queue:"
QUEUED = QUEUE_PREFIX + QUEUE
INTERMEDIATE = f"{QUEUED}:intermediate"
STARTED = f"{RQ_KEY_PREFIX}:wip:{QUEUE}"
FINISHED = f"{RQ_KEY_PREFIX}:finished:{QUEUE}"
FAILED = f"{RQ_KEY_PREFIX}:failed:{QUEUE}"
# RQ's further registries, which this product leaves empty.
SCHEDULED = f"{RQ_KEY_PREFIX}:scheduled:{QUEUE}"
DEFERRED = f"{RQ_KEY_PREFIX}:deferred:{QUEUE}"
CANCELED = f"{RQ_KEY_PREFIX}:canceled:{QUEUE}"
EXECUTION_PREFIX = f"{RQ_KEY_PREFIX}:execution:"
EXECUTIONS_PREFIX = f"{RQ_KEY_PREFIX}:executions:"
WORKER_PREFIX = f"{RQ_KEY_PREFIX}:worker:"
# The keys of all workers of the queue, of all workers, and the prefix of each worker's command channel.
WORKERS = f"{RQ_KEY_PREFIX}:workers:{QUEUE}"
ALL_WORKERS = f"{RQ_KEY_PREFIX}:workers"
COMMANDS_PREFIX = f"{RQ_KEY_PREFIX}:pubsub:"
# A field of this product in RQ's hash of a worker.
DRAINING_SINCE = "draining_since"

# The ids of all reports, all with score 0, so that they sort by id and so by time.
REGISTRY = f"{RQ_KEY_PREFIX}:reports"
# The time when each ended report expires; scores are seconds since 1970 by the server's clock.
EXPIRY = f"{RQ_KEY_PREFIX}:reports:expiry"
# Ids seen in the intermediate queue without a lease; scores as above.
SUSPECTS = f"{RQ_KEY_PREFIX}:reports:suspects"
# Ids of reports whose callback is due; the score is the time, by the server's clock.
DELIVERIES = f"{RQ_KEY_PREFIX}:reports:deliveries"
# The time of the last sweep, and the time until which no worker sweeps; seconds as above.
SWEEP = f"{RQ_KEY_PREFIX}:reports:sweep"
# The lock of the worker that reconciles.
RECONCILING = f"{RQ_KEY_PREFIX}:reports:reconciling"
# Ids of reports whose files must be checked; the score is the time of the check, by the server's clock.
FILES = f"{RQ_KEY_PREFIX}:reports:files"
# The lock, for an hour, of the worker that has compared all files with all reports.
COMPARED = f"{RQ_KEY_PREFIX}:reports:compared"
# Which shape the reports have, and how far a migration to a newer one is.
SCHEMA = f"{RQ_KEY_PREFIX}:reports:schema"
# Held by the worker that migrates, for all workers together.
MIGRATING = f"{RQ_KEY_PREFIX}:reports:migrating"
# Members of the keys above that name no report, as they were taken out; the newest first.
FOREIGN = f"{RQ_KEY_PREFIX}:reports:foreign"
LEASE_PREFIX = f"{RQ_KEY_PREFIX}:lease:"
# The channel that carries the id of each report that has ended or was deleted.
ENDED_CHANNEL = f"{RQ_KEY_PREFIX}:reports:ended"
# RQ's own key: while it exists, no worker starts a report. Its value has the start and the end of the pause.
SUSPENDED = WORKERS_SUSPENDED
# The prefix before the token of a request that deleted a report.
DELETED_PREFIX = f"{RQ_KEY_PREFIX}:reports:deleted:"
IDEMPOTENCY_PREFIX = f"{RQ_KEY_PREFIX}:reports:idempotency:"

# The prefix before the digest of a request; the value is the id of the newest report for the request.
NEWEST_PREFIX = f"{RQ_KEY_PREFIX}:reports:newest:"

# The types of the keys that all reports share.
TYPES = {
    QUEUES: "set",
    QUEUED: "list",
    INTERMEDIATE: "list",
    STARTED: "zset",
    FINISHED: "zset",
    FAILED: "zset",
    SCHEDULED: "zset",
    DEFERRED: "zset",
    CANCELED: "zset",
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
