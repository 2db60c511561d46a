"""A report's progress on standard error: a bar on a terminal, elsewhere a line for each stage."""

from __future__ import annotations

import shutil
import sys

import click

from reports_worker.client import Reports
from reports_worker.domain.report import Report, Status
from reports_worker.errors import BrokerUnavailableError

BAR_WIDTH = 30
INTERRUPTED = 130  # the exit code that a shell gives after Ctrl-C
_CLEAR_LINE = "\r\x1b[K"


def follow(reports: Reports, task_id: str) -> Report:
    """Return the report once it has ended; on Ctrl-C, print that the report continues, and exit."""
    show = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        return reports.wait(task_id, on_progress=show)
    except KeyboardInterrupt:
        show.end()
        _print_how_to_follow(task_id)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokerUnavailableError:
        show.end()
        _print_how_to_follow(task_id)
        raise
    finally:
        show.end()


def _print_how_to_follow(task_id: str) -> None:
    program = click.get_current_context().find_root().info_name
    click.echo(f"The report continues. Show its status with: {program} show {task_id}", err=True)


class _Bar:
    """Draws the progress bar again on the same line."""

    def __init__(self) -> None:
        self._has_line = False

    def __call__(self, report: Report) -> None:
        filled = report.progress.percent * BAR_WIDTH // 100
        bar = "#" * filled + "-" * (BAR_WIDTH - filled)
        text = f"[{bar}] {report.progress.percent:3} %  {_describe_state(report)}"
        click.echo(_CLEAR_LINE + text[: shutil.get_terminal_size().columns - 1], nl=False, err=True)
        self._has_line = True

    def end(self) -> None:
        if self._has_line:
            click.echo(err=True)
        self._has_line = False


class _Lines:
    """Writes a line when the state changes."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, report: Report) -> None:
        text = _describe_state(report)
        if text != self._last:
            click.echo(f"{report.progress.percent:3} %  {text}", err=True)
        self._last = text

    def end(self) -> None:
        """Do nothing: each line is complete."""


def _describe_state(report: Report) -> str:
    if report.status is Status.RUNNING and report.progress.stage:
        return report.progress.stage
    if report.position:
        return f"{report.status}, {report.position} ahead in the queue"
    return str(report.status)
