"""`python -m reports_worker`: a worker, as `rq worker -c reports_worker.rq_config`, or a command."""

from __future__ import annotations

import sys

COMMANDS = ("submit", "list", "show", "cancel", "retry", "delete", "pause", "resume", "workers", "drain",
            "alive")  # fmt: skip
WORKER = ["worker", "--config", "reports_worker.rq_config"]
NAME = "python -m reports_worker"

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        from .operator_commands import main

        main(prog_name=NAME)
    else:
        from rq.cli.cli import main as rq_main

        rq_main([*WORKER, *sys.argv[1:]], prog_name=NAME)
