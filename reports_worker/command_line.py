"""Reports from the command line: `python -m reports_worker submit "Q4 sales" sales --wait`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from .catalog import CATALOG
from .door import Reports
from .errors import ReportsError
from .model import Report, Status

_BAR_WIDTH = 30


@contextmanager
def told_errors() -> Iterator[None]:
    """Say what went wrong in one line, without a traceback."""
    try:
        yield
    except ReportsError as error:
        raise click.ClickException(str(error)) from error


@click.group(help="Ask for reports and look at them.")
def main() -> None:
    """Group the commands; each reads the broker's address from the environment."""


@main.command(help="Ask for a report and print its task id.")
@click.argument("title")
@click.argument("type", type=click.Choice(list(CATALOG)))
@click.option("--wait", is_flag=True, help="Show its progress, then its figures; exit 1 if it fails.")
@click.option("--idempotency-key", help="The same key and request give the same report, for a day.")
def submit(title: str, type: str, *, wait: bool, idempotency_key: str | None) -> None:  # noqa: A002
    with told_errors():
        reports = Reports()
        task_id = reports.submit(title, type, idempotency_key=idempotency_key)
        click.echo(task_id, err=wait)
        if wait:
            _finish(_follow(reports, task_id))


@main.command("list", help="List reports, newest first.")
@click.option("--status", type=click.Choice(list(Status)))
@click.option("--type", "type_", type=click.Choice(list(CATALOG)))
@click.option("--query", "-q", help="Words of the title.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_reports(
    *, status: str | None, type_: str | None, query: str | None, limit: int, as_json: bool
) -> None:
    with told_errors():
        page = Reports().list(status=Status(status) if status else None, type=type_, query=query, limit=limit)
    for report in page.reports:
        click.echo(_to_json(report) if as_json else _to_line(report))


@main.command(help="Show one report as JSON.")
@click.argument("task_id")
def show(task_id: str) -> None:
    with told_errors():
        click.echo(_to_json(Reports().get(task_id), indent=2))


@main.command(help="Cancel a report that waits or runs.")
@click.argument("task_id")
def cancel(task_id: str) -> None:
    with told_errors():
        status = Reports().cancel(task_id)
    click.echo("cancelled" if status.is_terminal else "is being cancelled")


@main.command(help="Make a failed report again, under the same id.")
@click.argument("task_id")
def retry(task_id: str) -> None:
    with told_errors():
        Reports().retry(task_id)
    click.echo("queued")


@main.command(help="Delete a report; one that runs is stopped.")
@click.argument("task_id")
def delete(task_id: str) -> None:
    with told_errors():
        Reports().delete(task_id)
    click.echo("deleted")


def _follow(reports: Reports, task_id: str) -> Report:
    """Wait with a bar on the terminal; where there is none, a line for each stage."""
    with click.progressbar(
        length=100, width=_BAR_WIDTH, file=sys.stderr, item_show_func=lambda stage: stage or ""
    ) as bar:

        def show_progress(report: Report) -> None:
            percent = 100 if report.status.is_terminal else report.progress.percent
            bar.update(percent - bar.pos, report.progress.stage or report.status)

        return reports.wait(task_id, on_progress=show_progress)


def _finish(report: Report) -> None:
    if report.status is not Status.COMPLETED:
        raise click.ClickException(report.error or f"The report is {report.status}.")
    click.echo(json.dumps(report.result, indent=2, ensure_ascii=False))


def _to_line(report: Report) -> str:
    made = report.created_at.strftime("%Y-%m-%d %H:%M:%S")
    return f"{report.task_id}  {made}  {report.status:<9}  {report.type:<10}  {report.title}"


def _to_json(report: Report, *, indent: int | None = None) -> str:
    body = {
        "task_id": report.task_id,
        "title": report.title,
        "type": report.type,
        "status": report.status,
        "parameters": report.parameters,
        "created_at": report.created_at.isoformat(),
        "progress": {"percent": report.progress.percent, "stage": report.progress.stage},
        "result": report.result,
        "error": report.error,
        "reason": report.reason,
    }
    return json.dumps(body, indent=indent, ensure_ascii=False)
