"""reports_worker.rq_config, with reports that take more than they may: for tests alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from reports_worker import ReportContext, ReportType
from reports_worker.execution.runner import ReportRunner
from reports_worker.rq_config import DICT_CONFIG, NAME, QUEUES, use
from reports_worker.worker.report_worker import Factories

__all__ = ["DICT_CONFIG", "NAME", "QUEUES"]


def _take_memory(_: ReportContext) -> Mapping[str, Any]:
    taken = []
    while True:
        # Written to, or the kernel would not really give it.
        taken.append(b"x" * 10_000_000)
        time.sleep(0.01)


def _take_room(_: ReportContext) -> Mapping[str, Any]:
    return {"rows": ["a row"] * 100_000}


_TYPES = {"memory": _take_memory, "room": _take_room}
_CATALOG = {name: ReportType(name, name, "", make) for name, make in _TYPES.items()}
use(Factories(runner=partial(ReportRunner, catalog=_CATALOG)))
