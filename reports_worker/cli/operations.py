"""The commands for operators: pause and resume the queue, list, drain and probe workers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import click

from reports_worker.client import Reports
from reports_worker.health.http_probe import find_fault
from reports_worker.lib import clock
from reports_worker.lib.units import parse_long_duration
from reports_worker.queue.worker_records import WorkerRecord
from reports_worker.settings.core import Settings

from .errors import reported_errors

POLL_SECONDS = 0.5


def _parse_duration(_context: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    try:
        return None if text is None else parse_long_duration(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not valid: {error}") from error


@click.command(
    help="Pause the queue: waiting reports do not start. Running reports continue; requests are accepted."
)
@click.option("--for", "duration", metavar="TIME", callback=_parse_duration, help="How long, such as 10m.")
def pause(*, duration: timedelta | None) -> None:
    with reported_errors():
        begun = Reports().pause(duration)
    until = f" until {_to_time(begun.until)}" if begun.until else ""
    click.echo(f"The queue is paused{until}. This command resumes it: python -m reports_worker resume")


@click.command(help="End the pause of the queue.")
def resume() -> None:
    with reported_errors():
        click.echo("resumed" if Reports().resume() else "the queue was not paused")


@click.command(help="List the workers of all hosts, and the reports that they run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def workers(*, as_json: bool) -> None:
    with reported_errors():
        reports = Reports()
        found, paused = reports.workers(), reports.find_pause()
    for line in map(_to_json, found) if as_json else _to_table(found):
        click.echo(_make_plain(line))
    if paused:
        since = f" since {_to_time(paused.since)}" if paused.since else ""
        until = f", until {_to_time(paused.until)}" if paused.until else ""
        click.echo(f"The queue is paused{since}{until}.", err=True)


@click.command(help="Let workers complete their running reports, without a time limit, and then end.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "is_all", is_flag=True, help="Drain all workers on all hosts.")
@click.option(
    "--wait", is_flag=True, help="Wait until the workers have ended, and show their running reports."
)
def drain(names: Sequence[str], *, is_all: bool, wait: bool) -> None:
    if bool(names) == is_all:
        raise click.UsageError("Give names of workers, as `workers` lists them, or --all.")
    with reported_errors():
        reports = Reports()
        chosen = names or [worker.name for worker in reports.workers()]
        reports.drain(*chosen)
        for name in chosen:
            click.echo(f"{name} drains")
        if wait:
            _wait(reports, set(chosen))
    if not chosen:
        click.echo("there is no worker")


@click.command(
    help="Probe the liveness of the worker at REPORTS_PROBE_PORT; exit 1 if the worker is not alive."
)
def alive() -> None:
    with reported_errors():
        fault = find_fault(Settings.from_environ(os.environ).probe)
    if fault:
        raise click.ClickException(fault)
    click.echo("alive")


def _wait(reports: Reports, names: Collection[str]) -> None:
    """Print the progress of each worker when it changes, until all workers have ended."""
    shown = dict.fromkeys(names, "")
    while shown:
        found = {worker.name: worker for worker in reports.workers()}
        for name in sorted(shown):
            line = _describe_progress(found[name]) if name in found else "has ended"
            if line and line != shown[name]:
                click.echo(_make_plain(f"{name} {line}"))
            shown[name] = line
        shown = {name: line for name, line in shown.items() if name in found}
        if shown:
            time.sleep(POLL_SECONDS)


def _describe_progress(worker: WorkerRecord) -> str:
    report = worker.report
    if report is None:
        return ""
    stage = f" {report.progress.stage}" if report.progress.stage else ""
    return f"runs {report.task_id}: {report.progress.percent} %{stage}"


def _to_table(workers: Sequence[WorkerRecord]) -> Sequence[str]:
    rows = [("NAME", "HOST", "PID", "STATE", "SINCE", "HEARTBEAT", "REPORT")]
    rows += [
        (
            worker.name,
            worker.host,
            str(worker.pid or ""),
            worker.state.value,
            _to_time(worker.started_at),
            _to_age(worker.heard_at),
            f"{worker.report.task_id} {worker.report.type}: {worker.report.title}" if worker.report else "",
        )
        for worker in workers
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _to_json(worker: WorkerRecord) -> str:
    body = {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "state": worker.state,
        "started_at": clock.to_json(worker.started_at) if worker.started_at else None,
        "heard_at": clock.to_json(worker.heard_at) if worker.heard_at else None,
        "task_id": worker.report.task_id if worker.report else None,
    }
    return json.dumps(body, ensure_ascii=False)


def _make_plain(text: str) -> str:
    """Remove control characters, which a terminal would execute: the text comes from Redis."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _to_time(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC") if time else ""


def _to_age(time: datetime | None) -> str:
    return f"{max(0, int((clock.now() - time).total_seconds()))} s ago" if time else ""
