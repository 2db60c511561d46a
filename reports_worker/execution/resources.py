"""The resources of one execution: a warehouse session, a scratch folder, the store of its files."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reports_worker.artifacts import Store, make_scratch, open_store, remove_scratch
from reports_worker.lib import clock
from reports_worker.queue.leases import Execution
from reports_worker.settings.data import DataSettings

from .limits import Limits

if TYPE_CHECKING:
    from reports_worker.warehouse.warehouse import Warehouse

log = logging.getLogger(__name__)


class ExecutionResources:
    """Opens each resource when it is first used. `abort` may be called from another thread."""

    def __init__(self, execution: Execution, data: DataSettings, limits: Limits) -> None:
        self.execution = execution
        self.data = data
        self._limits = limits
        self._warehouse: Warehouse | None = None
        self._lock = threading.Lock()

    @cached_property
    def store(self) -> Store:
        return open_store(self.data.artifacts)

    @cached_property
    def scratch(self) -> Path:
        """A folder for this execution alone, removed at its end."""
        return make_scratch(self.store, self.execution.task_id, self.execution.id)

    def open_warehouse(self) -> Warehouse:
        """Open the session, or return the one that is open."""
        # The engines and their libraries, which no worker needs before it forks.
        from reports_worker.warehouse.engine import Bounds  # noqa: PLC0415
        from reports_worker.warehouse.open import open_warehouse  # noqa: PLC0415

        with self._lock:
            if self._warehouse is None:
                bounds = Bounds(self._limits.time, self._limits.memory, self.scratch)
                self._warehouse = open_warehouse(self.data.warehouse, bounds)
            return self._warehouse

    @property
    def as_of(self) -> datetime:
        """The time of the data that was read; now, where no data was read."""
        return self._warehouse.as_of if self._warehouse else clock.now()

    def query_progress(self) -> float | None:
        """Return the progress of the running query, from 0 to 1; None where its engine does not report it."""
        from reports_worker.warehouse.engine import ReportsProgress  # noqa: PLC0415 - as above

        session = self._warehouse.session if self._warehouse else None
        return session.progress() if isinstance(session, ReportsProgress) else None

    def abort(self) -> None:
        """Cancel the report's query in the warehouse, and remove its files; the process ends next."""
        try:
            if self._warehouse is not None:
                self._warehouse.cancel()
        except BaseException:  # a panic of native code is no Exception, and the process must end next
            log.exception("the query could not be cancelled")
        self._remove_scratch()

    def close(self) -> None:
        """Close the session and remove the scratch folder."""
        try:
            if self._warehouse is not None:
                self._warehouse.close()
        except BaseException:  # as above, and the outcome of the report is already known
            log.exception("the warehouse could not be closed")
        self._remove_scratch()

    def _remove_scratch(self) -> None:
        if "scratch" in self.__dict__:
            remove_scratch(self.store, self.execution.task_id, self.execution.id)
