"""Simulated sales: revenue, orders and what sold best."""

from __future__ import annotations

from random import Random

from reports_worker.lib.units import SecondsRange
from reports_worker.report_types.report_type import ReportType

from .simulation import Figures, simulated_type


def draw(random: Random) -> Figures:
    """Draw figures of which the average is the total over the orders."""
    orders = random.randint(100, 500)
    total_sales = random.randint(max(10_000, 50 * orders), min(50_000, 200 * orders))
    return {
        "total_sales": total_sales,
        "orders": orders,
        "average_order_value": round(total_sales / orders, 2),
        "top_product": f"Product-{random.randint(1, 100)}",
    }


def make_type(allowed: SecondsRange) -> ReportType:
    """Make the type, whose reports take so many seconds."""
    return simulated_type(
        "sales",
        "Sales",
        "Revenue, orders, average order value and the best-selling product.",
        stages=("reading orders", "adding up revenue", "ranking products", "writing the report"),
        draw=draw,
        allowed=allowed,
    )
