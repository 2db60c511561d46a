"""Simulated sales: revenue, orders and the best-selling product."""

from __future__ import annotations

from random import Random

from reports_worker.lib.units import SecondsRange
from reports_worker.report_types.report_type import ReportType

from .simulation import Figures, simulated_type


def draw(random: Random) -> Figures:
    """Draw figures in which the average is the total divided by the orders."""
    orders = random.randint(100, 500)
    total_sales = random.randint(max(10_000, 50 * orders), min(50_000, 200 * orders))
    return {
        "total_sales": total_sales,
        "orders": orders,
        "average_order_value": round(total_sales / orders, 2),
        "top_product": f"Product-{random.randint(1, 100)}",
    }


def make_type(allowed: SecondsRange) -> ReportType:
    """Make the type; its reports take a time from the `allowed` range."""
    return simulated_type(
        "sales",
        "Sales",
        "Revenue, orders, average order value and the best-selling product.",
        stages=("reading orders", "adding up revenue", "ranking products", "writing the report"),
        draw=draw,
        allowed=allowed,
    )
