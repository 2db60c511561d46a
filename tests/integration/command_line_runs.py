"""Commands of `python -m reports_worker`, run within the tests: a process of its own takes a second."""

from __future__ import annotations

from click.testing import CliRunner, Result

from reports_worker.cli.main import main


def run(url: str, *arguments: str, **environ: str) -> Result:
    """Run a command to its end."""
    return CliRunner().invoke(main, arguments, env={"ConnectionStrings__broker": url, **environ})
