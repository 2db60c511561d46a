"""`python -m apphost` runs the product; `python -m apphost env` prints the environment of a resource."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence

from apphost.logs.console import print_error

from .application import ENVIRONMENT_FILE
from .errors import ApphostError
from .processes import private_files as files
from .reports import describe_app
from .settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.from_environ(os.environ)
        if options.command == "env":
            print_environment(settings, options.resource)
        else:
            run(settings, os.environ)
    except ApphostError as error:
        print_error(str(error))
        return 1
    except KeyboardInterrupt:
        # Before the first start. Later, SIGINT stops all resources and the exit code is 0.
        return 130
    return 0


def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run the product until a stop signal."""
    secret_key = files.keep_secret(files.open_folder(settings.folder) / "secret-key")
    describe_app(settings, environ, secret_key).run(settings, environ)


def print_environment(settings: Settings, resource: str) -> None:
    """Print the variables that the running apphost injects, as exports for a shell."""
    if not files.is_locked(settings.folder):
        raise ApphostError(f"No apphost runs in {settings.folder}: start one with `make run`.")
    variables = json.loads((settings.folder / ENVIRONMENT_FILE).read_text(encoding="utf-8"))
    if resource not in variables:
        raise ApphostError(f"There is no resource {resource!r}. Choose one of {', '.join(variables)}.")
    for name, value in variables[resource].items():
        print(f"export {name}={shlex.quote(value)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m apphost", description="Start broker, API and workers.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="start all resources (default)")
    env = commands.add_parser("env", help="print the environment of a resource of the running apphost")
    env.add_argument("resource", nargs="?", default="api", help="api (default) or worker")
    return parser


if __name__ == "__main__":
    sys.exit(main())
