"""`python -m reports_worker`: the same as `rq worker -c reports_worker.rq_config`."""

from __future__ import annotations

import sys

from rq.cli.cli import main

if __name__ == "__main__":
    main(
        ["worker", "--config", "reports_worker.rq_config", *sys.argv[1:]],
        prog_name="python -m reports_worker",
    )
