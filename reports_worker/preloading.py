"""What a report over real data needs, loaded by the process that waits for it: never by its worker."""

from __future__ import annotations

import importlib
import logging

from .data_settings import DataSettings

log = logging.getLogger(__name__)

# In the order in which they are needed. Some of them would hang in a child, had their parent used them.
MODULES = ("reports_worker.warehouse.opening", "reports_worker.production")


def preload(settings: DataSettings) -> None:
    """Import them, where there is a warehouse; what cannot be imported, the report itself will say."""
    if settings.warehouse is None:
        return
    for name in MODULES:
        try:
            importlib.import_module(name)
        except Exception as error:
            log.warning("cannot load %s before it is needed: %s", name, error)
