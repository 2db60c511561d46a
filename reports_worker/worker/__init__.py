"""RQ's worker with leases. Its import exits with a sentence where the packages of a worker are not installed."""

from reports_worker.lib.extras import require_worker_packages

require_worker_packages()
