"""The warm-up of a standby process for reports over data. The worker itself never runs these steps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module

from reports_worker.settings.data import DataSettings

log = logging.getLogger(__name__)


def list_warmups(settings: DataSettings) -> Sequence[Callable[[], None]]:
    """List the steps in the order in which a report needs them; none without a warehouse.

    A step that fails is logged, and a report that needs the step fails with the reason. Some of the libraries
    hang in a child whose parent has used them.
    """
    if settings.warehouse is None:
        return ()
    return tuple(map(_log_failure, (_load_engines, _load_export, _start_chart_renderer)))


def _log_failure(step: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            step()
        except Exception as error:
            log.warning("a warm-up step for reports over data failed: %s", error)

    return run


def _load_engines() -> None:
    import_module("reports_worker.warehouse.open")


def _load_export() -> None:
    import_module("reports_worker.execution.export")


def _start_chart_renderer() -> None:
    from reports_worker.formats.charts.renderer import start_engine  # noqa: PLC0415

    start_engine()
