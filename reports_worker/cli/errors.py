"""Errors as the command line shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from reports_worker.broker.address import VARIABLES
from reports_worker.errors import BrokerUnavailableError, ReportsError


@contextmanager
def reported_errors() -> Iterator[None]:
    """Report an error in one line, without a traceback."""
    try:
        yield
    except BrokerUnavailableError as error:
        message = f"{error} Its address is read from {', else '.join(VARIABLES)}."
        raise click.ClickException(message) from error
    except ReportsError as error:
        raise click.ClickException(str(error)) from error
