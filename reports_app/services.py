"""What the views work with, kept with the application that they serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import current_app
from flask.sansio.app import App

from reports_worker import CATALOG, ReportQueue, ReportType, Settings, connect

EXTENSION = "reports"


@dataclass(frozen=True)
class Services:
    """The queue to ask, and the report types that can be asked for."""

    queue: ReportQueue
    catalog: Mapping[str, ReportType]


def make_services(settings: Settings) -> Services:
    """Make them; nothing connects before the first request."""
    return Services(ReportQueue(connect(settings.broker), timeout=settings.timeout), CATALOG)


def add_services(app: App, services: Services) -> None:
    app.extensions[EXTENSION] = services


def get_services() -> Services:
    return cast(Services, current_app.extensions[EXTENSION])
