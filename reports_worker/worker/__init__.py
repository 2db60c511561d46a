"""RQ's worker with leases; `rq worker -c` imports this package before anything else says which packages it needs."""

from reports_worker.lib.extras import require_worker_packages

require_worker_packages()
