"""`reports`, or `python -m reports_worker`: a command, or a worker like `rq worker -c reports_worker.rq_config`."""

from __future__ import annotations

import sys

WORKER = ["worker", "--config", "reports_worker.rq_config"]
NAME = "python -m reports_worker"


def main(name: str = "reports") -> None:
    """Run the command of `sys.argv`; `name` is the program in its help."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if first in ("--help", "--version") or first[:1].isalpha():
        from reports_worker.cli.main import main as cli_main

        cli_main(prog_name=name)
    else:
        from reports_worker.lib.extras import require_worker_packages

        require_worker_packages()
        from rq.cli.cli import main as rq_main

        rq_main([*WORKER, *sys.argv[1:]], prog_name=name)


if __name__ == "__main__":
    main(NAME)
