"""What reports over data need, made ready before one is requested: by the worker, and by its standby processes.

A step that fails is logged, and a report that needs the step fails with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module

from reports_worker.settings.data import DataSettings

log = logging.getLogger(__name__)


def preload(settings: DataSettings, stop: type[BaseException] = KeyboardInterrupt) -> None:
    """Import the engine of the warehouse and the writers of files, in the worker, before it forks.

    `stop` is what a signal raises to stop the worker.

    Each job process would import them again: 0.2 s of CPU time for each report. Nothing is used here, since some of
    the libraries hang in a child whose parent has used them.
    """
    if settings.warehouse is None:
        return
    _try(partial(_load_engine, settings.warehouse), stop)
    _try(_load_export, stop)


def warm_up(settings: DataSettings) -> None:
    """Start the chart renderer, in an idle standby process."""
    if settings.warehouse is not None:
        _try(_start_chart_renderer)


def _try(step: Callable[[], None], stop: type[BaseException] = KeyboardInterrupt) -> None:
    try:
        step()
    except stop:
        raise
    except BaseException as error:  # libraries also raise SystemExit, and Rust's PanicException
        log.warning("a warm-up step for reports over data failed: %s: %s", type(error).__name__, error)


def _load_engine(address: str) -> None:
    from sqlglot import Dialect  # noqa: PLC0415

    from reports_worker.warehouse.open import load_engine  # noqa: PLC0415

    Dialect.get_or_raise(load_engine(address).dialect)


def _load_export() -> None:
    import_module("reports_worker.execution.export")


def _start_chart_renderer() -> None:
    from reports_worker.formats.charts.renderer import start_engine  # noqa: PLC0415

    start_engine()
