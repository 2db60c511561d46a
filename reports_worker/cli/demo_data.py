"""`python -m reports_worker demo-data`."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from reports_worker.demo import FEWEST_ORDERS, MOST_ORDERS
from reports_worker.lib.extras import require_worker_packages

from .errors import reported_errors


def _parse_day(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a day: give a day such as 2026-06-30") from error
    if day and not 1980 <= day.year <= 2200:
        raise click.BadParameter(f"{text!r} is out of range: give a day from 1980 to 2200")
    return day.isoformat() if day else None


@click.command("demo-data")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--orders", type=click.IntRange(FEWEST_ORDERS, MOST_ORDERS), default=1_000_000, show_default=True
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help="Another seed gives other rows.",
)
@click.option(
    "--until",
    metavar="DAY",
    callback=_parse_day,
    help="The last day of the data; yesterday (UTC) if not given.",
)
@click.option("--replace", is_flag=True, help="Overwrite demo data in the folder.")
@click.option("--load", metavar="URL", help="Then also copy the tables into this PostgreSQL database.")
def demo_data(
    path: Path, *, orders: int, seed: int, until: str | None, replace: bool, load: str | None
) -> None:
    """Write a demo warehouse of three years to the folder PATH, as Parquet files.

    The same orders, seed and last day give the same rows on any machine. If the folder already holds the same demo
    data, nothing is written.
    """
    require_worker_packages("This command")
    from reports_worker.demo.generator import Demo, write  # noqa: PLC0415 - `--help` needs no engine

    found = Demo.find(path)
    with reported_errors():
        if found and not replace and found == Demo(orders, seed, until or found.until):
            click.echo(f"{path} already holds this demo data, until {found.until}.", err=True)
        else:
            until = until or (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
            write(Demo(orders, seed, until), path, replace=replace, report=_report)
            click.echo(f"{path} holds {orders:,} orders until {until}, and all other tables.", err=True)
        if load:
            from reports_worker.demo.loading import load as load_tables  # noqa: PLC0415 - only this needs a driver

            load_tables(path, load, report=_report)
            click.echo("The database holds the same tables.", err=True)


def _report(table: str, percent: float) -> None:
    """Show a line for each table; on a terminal, a line that counts up."""
    if sys.stderr.isatty():
        click.echo(f"\r{table}: {percent:3.0f} %", err=True, nl=percent >= 100)
    elif percent >= 100:
        click.echo(f"{table} written", err=True)
