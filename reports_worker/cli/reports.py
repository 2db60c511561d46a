"""The commands for reports, such as `python -m reports_worker submit "Q4 sales" sales --wait`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from reports_worker.client import Reports
from reports_worker.domain.file_formats import FORMATS
from reports_worker.domain.report import Report, Status
from reports_worker.domain.serialization import serialize, serialize_type

from .errors import reported_errors
from .parameters import TypeName, describe_lines, join_parameters, parse_pairs
from .progress_bar import follow


def _parse_parameters(_context: click.Context, _option: click.Parameter, text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not JSON: {error}") from error


@click.command(help="Request a report and print its task id.")
@click.argument("title")
@click.argument("type", type=TypeName())
@click.option(
    "-p",
    "texts",
    metavar="NAME=VALUE",
    multiple=True,
    callback=parse_pairs,
    help="A parameter; repeat the option for each of several choices. A period is, for example, last_quarter or "
    "2026-07-01..2026-09-30.",
)
@click.option("--wait", is_flag=True, help="Show the progress, then the result; exit 1 if the report fails.")
@click.option(
    "--parameters", metavar="JSON", callback=_parse_parameters, help="All parameters as a JSON object."
)
@click.option(
    "--format",
    "formats",
    metavar="FORMAT",
    multiple=True,
    help=f"A file format to write: {', '.join(FORMATS)}.",
)
@click.option("--max-age", metavar="SECONDS", type=int, help="Accept an earlier report of at most this age.")
@click.option("--callback-url", help="The URL to notify of the report's end; its host must be allowed.")
@click.option("--idempotency-key", help="The same key and request return the same report, for a day.")
def submit(
    title: str,
    type: str,  # noqa: A002 - the contract's own name
    *,
    wait: bool,
    idempotency_key: str | None,
    texts: Mapping[str, Sequence[str]],
    **options: Any,
) -> None:
    with reported_errors():
        reports = Reports()
        options["parameters"] = join_parameters(reports.types[type], options["parameters"], texts)
        given = {name: value for name, value in options.items() if value not in (None, ())}
        accepted = reports.accept({"title": title, "type": type, **given}, idempotency_key=idempotency_key)
        if accepted.is_earlier:
            click.echo("An earlier report serves.", err=True)
        click.echo(accepted.task_id, err=wait)
        if wait:
            _finish(follow(reports, accepted.task_id))


@click.command(help="List the report types, with their parameters.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def types(*, as_json: bool) -> None:
    with reported_errors():
        for one in Reports().types.values():
            if as_json:
                click.echo(json.dumps(serialize_type(one), ensure_ascii=False))
            else:
                click.echo("\n".join(describe_lines(one)))


@click.command("list", help="List reports, newest first.")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--type", "type_", type=TypeName())
@click.option("--query", "-q", help="Words in the title.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_reports(
    *, status: str | None, type_: str | None, query: str | None, limit: int, as_json: bool
) -> None:
    selection = {"status": Status(status) if status else None, "type": type_, "query": query}
    with reported_errors():
        for report in _list(Reports(), limit, selection):
            click.echo(_to_json(report) if as_json else _to_line(report))


@click.command(help="Show one report as JSON.")
@click.argument("task_id")
def show(task_id: str) -> None:
    with reported_errors():
        click.echo(_to_json(Reports().get(task_id), indent=2))


@click.command(help="Cancel a waiting or running report.")
@click.argument("task_id")
def cancel(task_id: str) -> None:
    with reported_errors():
        status = Reports().cancel(task_id)
    click.echo("cancelled" if status.is_terminal else "being cancelled")


@click.command(help="Run a failed report again, with the same task id.")
@click.argument("task_id")
def retry(task_id: str) -> None:
    with reported_errors():
        Reports().retry(task_id)
    click.echo("requested again")


@click.command(help="Delete a report; a running report is stopped.")
@click.argument("task_id")
def delete(task_id: str) -> None:
    with reported_errors():
        Reports().delete(task_id)
    click.echo("deleted")


def _list(reports: Reports, limit: int, selection: Mapping[str, Any]) -> Iterator[Report]:
    """Read pages until there are enough reports: a page of a selection may be short, even empty."""
    cursor: str | None = None
    while limit:
        page = reports.list(limit=limit, cursor=cursor, **selection)
        yield from page.reports
        limit, cursor = limit - len(page.reports), page.next_cursor
        if cursor is None:
            return


def _finish(report: Report) -> None:
    if report.status is not Status.COMPLETED:
        raise click.ClickException(report.error or f"The report is {report.status}.")
    click.echo(json.dumps(report.result, indent=2, ensure_ascii=False))


def _to_line(report: Report) -> str:
    requested = report.created_at.strftime("%Y-%m-%d %H:%M:%S")
    return f"{report.task_id}  {requested}  {report.status:<9}  {report.type:<10}  {report.title}"


def _to_json(report: Report, *, indent: int | None = None) -> str:
    return json.dumps(serialize(report), indent=indent, ensure_ascii=False)
