"""The services that views use, stored in `app.extensions`."""

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
DEFAULT_MAX_WAITING = 2


@dataclass(frozen=True)
class Services:
    """The queue, the report types and the settings that views need.

    `max_waiting` is the limit of long polls in a process: half of its threads.
    `is_open` means that other machines can reach the API, without a sign-in.
    `callback_hosts` are the hosts that callbacks may address; `data` has the time zone and the fiscal year.
    """

    queue: ReportQueue
    catalog: Mapping[str, TypeDescription]
    max_waiting: int = DEFAULT_MAX_WAITING
    callback_hosts: Sequence[str] = ()
    data: DataSettings = field(default_factory=DataSettings)
    is_open: bool = False
    completions: CompletionWaiter = field(init=False)
    downloads: Downloads = field(init=False)
    shared_lists: SingleFlightCache[tuple[str, int]] = field(default_factory=SingleFlightCache)

    def __post_init__(self) -> None:
        object.__setattr__(self, "completions", CompletionWaiter(self.queue, max_waiting=self.max_waiting))
        store = open_store(self.data.artifacts)
        object.__setattr__(self, "downloads", Downloads(store, max_concurrent=self.max_waiting))

    def calendar(self) -> Calendar:
        """Return the calendar of the current day."""
        return self.data.calendar(clock.now())


def make_services(
    settings: Settings, *, max_waiting: int = DEFAULT_MAX_WAITING, is_open: bool = False
) -> Services:
    """Create the services. No connection is opened before the first request."""
    queue = ReportQueue(
        connect(settings.broker),
        timeout=settings.timeout,
        retention=settings.retention,
        replicas=settings.broker_replicas,
    )
    return Services(
        queue,
        find_types(settings.data),
        max_waiting,
        settings.callbacks.hosts,
        settings.data,
        is_open=is_open,
    )


def add_services(app: App, services: Services) -> None:
    app.extensions[EXTENSION] = services


def get_services() -> Services:
    return cast(Services, current_app.extensions[EXTENSION])
