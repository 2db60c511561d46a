"""`python -m reports_worker`: run a command, or start a worker like `rq worker -c reports_worker.rq_config`."""

from __future__ import annotations

import sys

WORKER = ["worker", "--config", "reports_worker.rq_config"]
NAME = "python -m reports_worker"

if __name__ == "__main__":
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if first == "--help" or first[:1].isalpha():
        from reports_worker.cli.main import main

        main(prog_name=NAME)
    else:
        from rq.cli.cli import main as rq_main

        rq_main([*WORKER, *sys.argv[1:]], prog_name=NAME)
