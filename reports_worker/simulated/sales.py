"""Simulated sales: revenue, orders and what sold best."""

from __future__ import annotations

from random import Random

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


TYPE = simulated_type(
    "sales",
    "Sales",
    "Revenue, orders, average order value and the best-selling product.",
    stages=("reading orders", "adding up revenue", "ranking products", "writing the report"),
    draw=draw,
)
