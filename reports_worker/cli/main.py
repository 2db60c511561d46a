"""The commands of `python -m reports_worker`; a command's module is imported when the command is used."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click

from reports_worker import __version__

# The module and the function of each command.
COMMANDS = {
    "submit": ("reports", "submit"),
    "types": ("reports", "types"),
    "list": ("reports", "list_reports"),
    "show": ("reports", "show"),
    "cancel": ("reports", "cancel"),
    "retry": ("reports", "retry"),
    "delete": ("reports", "delete"),
    "pause": ("operations", "pause"),
    "resume": ("operations", "resume"),
    "workers": ("operations", "workers"),
    "drain": ("operations", "drain"),
    "alive": ("operations", "alive"),
    "download": ("download", "download"),
    "demo-data": ("demo_data", "demo_data"),
}


class LazyGroup(click.Group):
    """Imports the module of a command when the command is used, since some modules load engines."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name]
        return cast(click.Command, getattr(import_module(f".{module}", __package__), function))


@click.group(
    cls=LazyGroup,
    help="Request and manage reports. Without a command: start a worker, with the options of `rq worker`.",
)
@click.version_option(__version__, message="background-reports %(version)s")
def main() -> None:
    """Group the commands; each reads the broker's address from the environment."""
