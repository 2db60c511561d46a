"""reports_worker.rq_config, with reports that begin by writing when they began: for measurements alone.

The line is written in the process that was forked for the report, before the report type's own first line.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial

from reports_worker import ReportContext, ReportType, Settings
from reports_worker.execution.runner import ReportRunner
from reports_worker.report_types.report_type import ReportOutput
from reports_worker.rq_config import DICT_CONFIG, NAME, QUEUES, use
from reports_worker.simulated import make_types
from reports_worker.worker.report_worker import Factories

__all__ = ["DICT_CONFIG", "NAME", "QUEUES"]

_MARKS = os.open(os.environ["MARKS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _with_mark(report_type: ReportType) -> ReportType:
    def make(context: ReportContext) -> ReportOutput:
        os.write(_MARKS, b"%d\n" % time.monotonic_ns())
        return report_type.make(context)

    return replace(report_type, make=make)


_TYPES = make_types(Settings.from_environ(os.environ).simulated_seconds)
_CATALOG = {name: _with_mark(report_type) for name, report_type in _TYPES.items()}
use(Factories(runner=partial(ReportRunner, catalog=_CATALOG)))
