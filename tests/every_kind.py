"""A type of report with a parameter of each kind, for tests of whatever has to do with parameters."""

from __future__ import annotations

from datetime import date

from reports_worker import TypeDescription
from reports_worker.parameters import (
    Boolean,
    Calendar,
    Choice,
    Choices,
    Date,
    Integer,
    Number,
    Option,
    Period,
    Text,
)

# A Thursday, in the third quarter.
CALENDAR = Calendar(date(2026, 7, 16))

NOTE = Text(name="note", max_length=40, help="What the report says on top.")
TOP = Integer(name="top", title="Products", min=1, max=100, default=10)
SHARE = Number(name="share", min=0, max=1)
NET = Boolean(name="net", title="Net of tax", default=True)
REGION = Choice(name="region", options=[("EU", "Europe"), ("US", "United States"), 7], default="EU")
SHOP = Choice(name="shop", query="SELECT id, name FROM shops")
CHANNELS = Choices(
    name="channels",
    options=[Option("web", "Web"), Option("shop", "Shops"), Option("phone", "Telephone")],
    default=["web"],
)
SINCE = Date(name="since", default="today")
PERIOD = Period(name="period", required=True, default="last_quarter", help="Whole days.")

EVERY_KIND = TypeDescription(
    name="everything",
    title="Everything",
    description="A parameter of each kind.",
    parameters=(NOTE, TOP, SHARE, NET, REGION, SHOP, CHANNELS, SINCE, PERIOD),
    formats=("csv", "pdf"),
    version="v1",
)
QUARTER = {"from": "2026-04-01", "to": "2026-06-30"}
