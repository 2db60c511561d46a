"""What the views work with, kept with the application that they serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from flask import current_app
from flask.sansio.app import App

from reports_worker import ReportQueue, Settings, TypeDescription, connect
from reports_worker.artifacts import open_store
from reports_worker.catalog.find import find_types
from reports_worker.lib import clock
from reports_worker.parameters import Calendar
from reports_worker.settings.data import DataSettings

from .completion import CompletionWaiter
from .downloads import Downloads
from .single_flight_cache import SingleFlightCache

EXTENSION = "reports"
DEFAULT_WAITERS = 2


@dataclass(frozen=True)
class Services:
    """The queue to ask, the report types that can be asked for, and who waits for reports to end.

    `waiters` is how many requests of a process may wait at a time: half of its threads.
    `is_open` says that others than the users of this machine may reach the API, without a sign-in.
    `callback_hosts` are those that callbacks may go to; `data` has the time zone and fiscal year of periods.
    """

    queue: ReportQueue
    catalog: Mapping[str, TypeDescription]
    waiters: int = DEFAULT_WAITERS
    callback_hosts: Sequence[str] = ()
    data: DataSettings = field(default_factory=DataSettings)
    is_open: bool = False
    completions: CompletionWaiter = field(init=False)
    downloads: Downloads = field(init=False)
    shared_lists: SingleFlightCache[tuple[str, int]] = field(default_factory=SingleFlightCache)

    def __post_init__(self) -> None:
        object.__setattr__(self, "completions", CompletionWaiter(self.queue, places=self.waiters))
        store = open_store(self.data.artifacts)
        object.__setattr__(self, "downloads", Downloads(store, places=self.waiters))

    def calendar(self) -> Calendar:
        """Tell the day it is now."""
        return self.data.calendar(clock.now())


def make_services(settings: Settings, *, waiters: int = DEFAULT_WAITERS, is_open: bool = False) -> Services:
    """Make them; nothing connects before the first request."""
    queue = ReportQueue(
        connect(settings.broker),
        timeout=settings.timeout,
        retention=settings.retention,
        replicas=settings.broker_replicas,
    )
    return Services(
        queue,
        find_types(settings.data),
        waiters,
        settings.callbacks.hosts,
        settings.data,
        is_open=is_open,
    )


def add_services(app: App, services: Services) -> None:
    app.extensions[EXTENSION] = services


def get_services() -> Services:
    return cast(Services, current_app.extensions[EXTENSION])
