"""Sales: orders and revenue of a period, and the best-selling products.

Completed orders count, from the first moment of the period's first day to the last of its last day, in the time
zone of REPORTS_TIMEZONE. Revenue is the sum of their totals; the average order value is revenue over orders,
rounded to cents. The top product is the one with the most revenue in these orders. The period before has as many
whole months where the period is whole months, else as many days.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from reports_worker.authoring import (
    GRANULARITIES,
    Chart,
    Choice,
    Column,
    Contents,
    GivenRows,
    Integer,
    Kind,
    LocalTime,
    Query,
    ReportContext,
    ReportType,
    Row,
    Table,
    begins,
    previous_period,
)
from reports_worker.builtin._over_time import over_time

# An empty region stands for all regions.
CHOSEN = """
    status = 'completed' AND ordered_at >= :begin AND ordered_at < :end
    AND (CAST(:region AS VARCHAR) = '' OR region = :region)
"""

# {moment} is the local time of the order.
OVER_TIME = {
    granularity: f"""
SELECT CAST(date_trunc('{granularity}', {{moment}}) AS DATE) AS begins, COUNT(*) AS orders, SUM(total) AS revenue
FROM orders
WHERE {CHOSEN}
GROUP BY 1
ORDER BY 1
"""
    for granularity in GRANULARITIES
}

TOTALS = Query(f"SELECT COUNT(*) AS orders, SUM(total) AS revenue FROM orders WHERE {CHOSEN}")

TOP_PRODUCTS = Query(f"""
WITH sold AS (
    SELECT order_lines.product_id, SUM(order_lines.quantity) AS units, SUM(order_lines.amount) AS revenue
    FROM orders JOIN order_lines ON order_lines.order_id = orders.order_id
    WHERE {CHOSEN}
    GROUP BY order_lines.product_id
)
SELECT sold.product_id, products.name, products.category, CAST(sold.units AS BIGINT) AS units, sold.revenue
FROM sold LEFT JOIN products ON products.product_id = sold.product_id
ORDER BY sold.revenue DESC, sold.product_id
LIMIT :top
""")

TIME_COLUMNS = (
    Column("begins", Kind.DATE, "From"),
    Column("orders", Kind.INTEGER, "Orders"),
    Column("revenue", Kind.DECIMAL, "Revenue", "EUR"),
    Column("average_order_value", Kind.DECIMAL, "Average order value", "EUR"),
)
PRODUCT_COLUMNS = (
    Column("rank", Kind.INTEGER, "Rank"),
    Column("product_id", Kind.INTEGER, "Product no."),
    Column("name", Kind.TEXT, "Product"),
    Column("category", Kind.TEXT, "Category"),
    Column("units", Kind.INTEGER, "Units"),
    Column("revenue", Kind.DECIMAL, "Revenue", "EUR"),
)
CHARTED_PRODUCTS = 10
CENT = Decimal("0.01")


def make(context: ReportContext) -> Contents:
    started = time.monotonic()
    values, warehouse = context.values, context.warehouse
    days, granularity = values["period"], values["granularity"]
    local = LocalTime(days, context.timezone)
    before = LocalTime(previous_period(days), local.zone)
    region = values["region"] or ""
    chosen = {"region": region, "begin": local.begin, "end": local.end}

    context.progress(0, "adding up revenue")
    query = Query(OVER_TIME[granularity].format(moment=local.sql("ordered_at")))
    found = {row[0]: row[1:] for row in warehouse.fetch(query, **chosen, **local.values)}
    rows = [_time_row(begin, *found.get(begin, (0, None))) for begin in begins(days, granularity)]
    context.progress(40, "adding up the period before")
    previous_orders, previous = warehouse.fetch(TOTALS, region=region, begin=before.begin, end=before.end)[0]
    context.progress(60, "ranking products")
    top = warehouse.fetch(TOP_PRODUCTS, **chosen, top=values["top"])
    products = [(rank, *row) for rank, row in enumerate(top, start=1)]
    context.progress(100, "writing the report")

    orders, revenue = sum(row[1] for row in rows), sum((row[2] for row in rows), Decimal())
    summary = {
        "total_sales": float(revenue),
        "orders": orders,
        "average_order_value": _to_float(_average(revenue, orders)),
        "top_product": _name(products[0]) if products else None,
        "previous_total_sales": float(previous or 0),
        "previous_orders": previous_orders,
        "previous_average_order_value": _to_float(_average(previous or Decimal(), previous_orders)),
        "change": _to_float(_change(revenue, previous)),
        "processing_time": round(time.monotonic() - started),
    }
    return Contents(
        summary,
        tables=(
            Table("revenue", f"Revenue by {granularity}", GivenRows(TIME_COLUMNS, rows), TIME_COLUMNS),
            Table("top_products", "Top products", GivenRows(PRODUCT_COLUMNS, products), PRODUCT_COLUMNS),
        ),
        charts=(_revenue_chart(granularity, rows if orders else ()), _products_chart(products)),
        units=UNITS,
    )


UNITS: Mapping[str, str] = {
    "total_sales": "EUR",
    "average_order_value": "EUR",
    "previous_total_sales": "EUR",
    "previous_average_order_value": "EUR",
    "change": "%",
    "processing_time": "s",
}


def _time_row(begin: date, orders: int, revenue: Decimal | None) -> Row:
    return begin, orders, revenue or Decimal("0.00"), _average(revenue or Decimal(), orders)


def _average(revenue: Decimal, orders: int) -> Decimal | None:
    return (revenue / orders).quantize(CENT, ROUND_HALF_UP) if orders else None


def _change(revenue: Decimal, previous: Decimal | None) -> Decimal | None:
    """Return the change of revenue in percent; None without revenue in the previous period."""
    return (100 * (revenue - previous) / previous).quantize(CENT, ROUND_HALF_UP) if previous else None


def _to_float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def _name(product: Row) -> str:
    return product[2] or f"Product {product[1]}"


# Without this, ticks would fall inside months and repeat the names of months.
_AXES: Mapping[str, Any] = {
    "month": {"format": "%b %Y", "tickCount": {"interval": "month", "step": 1}},
    "quarter": {"format": "%b %Y", "tickCount": {"interval": "month", "step": 3}},
}


def _revenue_chart(granularity: str, rows: Sequence[Row]) -> Chart:
    spec: Mapping[str, Any] = {
        "mark": {"type": "area", "line": True, "point": len(rows) <= 40, "opacity": 0.4},
        "encoding": {
            "x": {
                "field": "begins",
                "type": "temporal",
                "title": f"{granularity.capitalize()} from",
                "axis": _AXES.get(granularity, {"format": "%d %b"}),
            },
            "y": {"field": "revenue", "type": "quantitative", "title": "Revenue (EUR)"},
        },
    }
    return Chart(
        "revenue",
        f"Revenue by {granularity}",
        spec,
        TIME_COLUMNS[:3],
        [row[:3] for row in rows],
        "Revenue of completed orders; the first and the last part can be incomplete."
        if rows
        else "There were no orders in this period.",
    )


def _products_chart(products: Sequence[Row]) -> Chart:
    spec: Mapping[str, Any] = {
        "mark": "bar",
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": None, "title": "Product"},
            "x": {"field": "revenue", "type": "quantitative", "title": "Revenue (EUR)"},
        },
    }
    rows = [(_name(product), product[5]) for product in products[:CHARTED_PRODUCTS]]
    return Chart(
        "top_products",
        "Top products",
        spec,
        (PRODUCT_COLUMNS[2], PRODUCT_COLUMNS[5]),
        rows,
        "The products with the most revenue." if rows else "There were no sales in this period.",
    )


TYPE = ReportType(
    "sales",
    "Sales",
    "Revenue over time, orders, average order value and the best-selling products, beside the period before.",
    make,
    parameters=(
        *over_time(
            granularity="month",
            first_day=date(1970, 1, 1),
            days="The days whose orders count.",
            parts="The steps of time in charts and tables; weeks begin on Monday.",
        ),
        Choice(
            name="region",
            query="SELECT DISTINCT region FROM orders ORDER BY region",
            help="Of the customer; all where none is chosen.",
        ),
        Integer(name="top", title="Top products", default=20, min=1, max=1000, help="How many are listed."),
    ),
)
