"""Settings for RQ's own command: `rq worker -c reports_worker.rq_config`.

RQ reads connection, queues and logging from such a module, but classes from command line options alone.
The import of this module sets the classes too, so that one option is enough.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from typing import Any

from rq.cli import workers as rq_workers
from rq.cli.helpers import CliConfig

from reports_worker.broker.client import connect
from reports_worker.broker.startup import wait_for_broker
from reports_worker.health.http_probe import Probe
from reports_worker.health.liveness import Liveness
from reports_worker.lib.logfmt import CONSOLE
from reports_worker.queue.json_serializer import use_json_only
from reports_worker.settings.core import Settings
from reports_worker.warehouse.drivers import check_driver
from reports_worker.worker.job import ReportJob, ReportsQueue
from reports_worker.worker.lifecycle import OperatedWorker, exit_on_signals
from reports_worker.worker.report_worker import Factories

from .broker import keys
from .errors import SettingsError


def _read_settings() -> Settings:
    try:
        settings = Settings.from_environ(os.environ)
        if settings.data.warehouse:
            check_driver(settings.data.warehouse)
        return settings
    except SettingsError as error:
        sys.exit(str(error))


def use(factories: Factories) -> None:
    """Create the worker with these factories: for the fault suite, benchmarks and tests."""

    def make_worker(queues: Any, **options: Any) -> OperatedWorker:
        return OperatedWorker(
            queues, settings=_SETTINGS, factories=factories, probe=_PROBE, liveness=_LIVENESS, **options
        )

    vars(CliConfig)["worker_class"].set(make_worker)


class _Fixed:
    """A class attribute that an assignment to an instance does not change."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __get__(self, instance: object, owner: type) -> object:
        return self._value

    def set(self, value: object) -> None:
        self._value = value

    def __set__(self, instance: object, value: object) -> None:
        """Ignore the value: RQ's command line sets its own default."""


class _AwaitedConnection(_Fixed):
    """The connection; its first use waits until the broker accepts writes, where RQ would end with a traceback."""

    _is_awaited = False

    def __get__(self, instance: object, owner: type) -> object:
        if instance is not None and not self._is_awaited:
            wait_for_broker(_CONNECTION, _SETTINGS.broker)
            self._is_awaited = True
        return super().__get__(instance, owner)


exit_on_signals()
_SETTINGS = _read_settings()
_CONNECTION = connect(_SETTINGS.broker)
# The probe opens before the worker starts, since the worker may have to wait for its broker.
_LIVENESS = Liveness()
_PROBE = Probe(_SETTINGS.probe, _LIVENESS)
_PROBE.open()

QUEUES = [keys.QUEUE]
NAME = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
DICT_CONFIG = CONSOLE

use_json_only()
# RQ's command does not start while the queue is paused; a worker that died in a pause would be missing after it.
vars(rq_workers)["is_suspended"] = lambda _connection: False
for _name, _attribute in {
    "worker_class": _Fixed(OperatedWorker),
    "job_class": _Fixed(ReportJob),
    "queue_class": _Fixed(ReportsQueue),
    "connection": _AwaitedConnection(_CONNECTION),
}.items():
    setattr(CliConfig, _name, _attribute)
use(Factories())
