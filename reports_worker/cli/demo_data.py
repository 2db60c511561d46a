"""`python -m reports_worker demo-data`."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from reports_worker.demo.generator import FEWEST_ORDERS, MOST_ORDERS, Demo, write

from .errors import reported_errors


def _parse_day(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day: give one such as 2026-06-30") from error
    if day and not 1980 <= day.year <= 2200:
        raise click.BadParameter(f"{text!r} is out of range: give a day from 1980 to 2200")
    return day.isoformat() if day else None


@click.command("demo-data")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--orders", type=click.IntRange(FEWEST_ORDERS, MOST_ORDERS), default=1_000_000, show_default=True
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Another one, other rows."
)
@click.option(
    "--until",
    metavar="DAY",
    callback=_parse_day,
    help="The last day of the data; yesterday (UTC) if not given.",
)
@click.option("--replace", is_flag=True, help="Write demo data that is there already anew.")
@click.option("--load", metavar="URL", help="Then copy the tables into this PostgreSQL database too.")
def demo_data(
    path: Path, *, orders: int, seed: int, until: str | None, replace: bool, load: str | None
) -> None:
    """Write a made-up warehouse of three years to the folder PATH, as Parquet files.

    The same orders, seed and last day give the same rows, on any machine. What is there already and was made so
    stays as it is.
    """
    found = Demo.find(path)
    with reported_errors():
        if found and not replace and found == Demo(orders, seed, until or found.until):
            click.echo(f"{path} holds it already, until {found.until}.", err=True)
        else:
            until = until or (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
            write(Demo(orders, seed, until), path, replace=replace, tell=_tell)
            click.echo(f"{path} holds {orders:,} orders until {until}, and what belongs to them.", err=True)
        if load:
            from reports_worker.demo.loading import load as load_tables  # noqa: PLC0415 - only this needs a driver

            load_tables(path, load, tell=_tell)
            click.echo("The database holds the same tables.", err=True)


def _tell(table: str, percent: float) -> None:
    """Show a line for each table; on a terminal, one that moves."""
    if sys.stderr.isatty():
        click.echo(f"\r{table}: {percent:3.0f} %", err=True, nl=percent >= 100)
    elif percent >= 100:
        click.echo(f"{table} written", err=True)
