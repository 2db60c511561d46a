"""Simulated inventory: items in stock, and items that run out."""

from __future__ import annotations

from random import Random

from reports_worker.lib.units import SecondsRange
from reports_worker.report_types.report_type import ReportType

from .simulation import Figures, simulated_type


def draw(random: Random) -> Figures:
    """Draw figures in which the items out of stock are part of the items low on stock."""
    low_stock_items = random.randint(10, 50)
    return {
        "total_items": random.randint(500, 2000),
        "low_stock_items": low_stock_items,
        "out_of_stock": random.randint(0, min(10, low_stock_items)),
        "total_value": random.randint(50_000, 200_000),
    }


def make_type(allowed: SecondsRange) -> ReportType:
    """Make the type; its reports take a time from the `allowed` range."""
    return simulated_type(
        "inventory",
        "Inventory",
        "Items in stock, their value, and what is low or out of stock.",
        stages=("reading stock levels", "valuing stock", "finding items to reorder", "writing the report"),
        draw=draw,
        allowed=allowed,
    )
