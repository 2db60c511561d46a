"""What a report over real data needs, made ready by the process that waits for it: never by its worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module

from reports_worker.settings.data import DataSettings

log = logging.getLogger(__name__)


def list_warmups(settings: DataSettings) -> Sequence[Callable[[], None]]:
    """List the steps in the order in which they are needed; none without a warehouse.

    A step that fails is logged, and the report itself will say why. Some of what they load would hang in a
    child, had its parent used it.
    """
    if settings.warehouse is None:
        return ()
    return tuple(map(_carefully, (_load_engines, _load_production, _start_charts)))


def _carefully(step: Callable[[], None]) -> Callable[[], None]:
    def take() -> None:
        try:
            step()
        except Exception as error:
            log.warning("cannot prepare for reports over data: %s", error)

    return take


def _load_engines() -> None:
    import_module("reports_worker.warehouse.open")


def _load_production() -> None:
    import_module("reports_worker.execution.export")


def _start_charts() -> None:
    from reports_worker.formats.charts.renderer import start_engine  # noqa: PLC0415

    start_engine()
