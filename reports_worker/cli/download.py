"""`python -m reports_worker download`: download the files of a report into a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from reports_worker.artifacts.download import list_receipts
from reports_worker.client import Reports
from reports_worker.domain.report import Receipt

from .errors import reported_errors


@click.command(help="Download all files of a completed report, or only the named files, into a folder.")
@click.argument("task_id")
@click.argument("names", nargs=-1)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="The folder, created if it does not exist. Files of the same names are overwritten.",
)
@click.option("--wait", is_flag=True, help="Wait until the report has ended.")
def download(*, task_id: str, names: Sequence[str], folder: Path, wait: bool) -> None:
    with reported_errors():
        reports = Reports()
        report = reports.wait(task_id) if wait else reports.get(task_id)
        receipts = {receipt.name: receipt for receipt in list_receipts(report)}
        if not receipts:
            click.echo("The report has no files.", err=True)
        for name in names or receipts:
            with _progress(name, receipts.get(name)) as advance, _reported_folder_errors(folder):
                path = reports.download(task_id, name, folder, on_bytes=advance)
            click.echo(path)
            if name in receipts and receipts[name].cut:
                click.echo(f"{name} does not hold everything: {receipts[name].cut}", err=True)


@contextmanager
def _progress(name: str, receipt: Receipt | None) -> Iterator[Callable[[int], object]]:
    """Draw a progress bar on a terminal, and nothing elsewhere."""
    length = receipt.size if receipt else 0
    is_hidden = not sys.stderr.isatty()
    with click.progressbar(length=length, label=name, file=sys.stderr, hidden=is_hidden) as bar:
        yield bar.update


@contextmanager
def _reported_folder_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written to: {error.strerror or error}") from error
