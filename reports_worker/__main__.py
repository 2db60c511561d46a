"""`reports`, or `python -m reports_worker`: a command, or a worker like `rq worker -c reports_worker.rq_config`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

WORKER = ["worker", "--config", "reports_worker.rq_config"]
# Those of the extra `worker`.
NEEDED = ("duckdb", "psutil", "typst", "vl_convert", "xlsxwriter")
NAME = "python -m reports_worker"


def main(name: str = "reports") -> None:
    """Run the command of `sys.argv`; `name` is the program in its help."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if first == "--help" or first[:1].isalpha():
        from reports_worker.cli.main import main as cli_main

        cli_main(prog_name=name)
    else:
        check_packages()
        from rq.cli.cli import main as rq_main

        rq_main([*WORKER, *sys.argv[1:]], prog_name=name)


def check_packages() -> None:
    """End with a sentence where this is an installation for the API or a client alone."""
    from reports_worker.lib.extras import write_install_command

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(
            f"A worker needs packages that are not installed ({', '.join(missing)}): "
            f"{write_install_command('worker')}"
        )


if __name__ == "__main__":
    main(NAME)
