"""Inventory: the items in the warehouses, their value, and the items to order again.

An item is a product in a warehouse. On hand is the number of its latest count on or before the requested day; the
value is that number times the product's unit cost. Days of cover are the days that the stock lasts at the speed of
the 28 days that end with the requested day: on hand times 28, divided by the units sold. Completed orders that the
warehouse sent count as sold; days are those of REPORTS_TIMEZONE. An item is out of stock when nothing is on hand. An
item is low when it is out of stock or has fewer days of cover than the threshold; an item without sales is not low
while it is in stock. The quantity to order raises the item to the threshold.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from reports_worker.authoring import (
    Chart,
    Choice,
    Column,
    Contents,
    Date,
    DateRange,
    GivenRows,
    Integer,
    Kind,
    LocalTime,
    Query,
    ReportContext,
    ReportType,
    Row,
    Table,
)

SPEED_DAYS = 28
# The upper limit of days of cover of each band, and its name; the last band has items without sales.
BANDS = ((0, "none"), (7, "under 7"), (14, "7 to 14"), (28, "14 to 28"), (56, "28 to 56"))
LAST_BAND, UNSOLD_BAND = "56 and more", "not sold"

# An empty warehouse stands for all warehouses.
ITEMS = """
WITH latest AS (
    SELECT warehouse, product_id, MAX(counted_on) AS counted_on
    FROM stock
    WHERE counted_on <= :as_of AND (CAST(:warehouse AS VARCHAR) = '' OR warehouse = :warehouse)
    GROUP BY warehouse, product_id
), sold AS (
    SELECT orders.warehouse, order_lines.product_id, SUM(order_lines.quantity) AS units
    FROM orders JOIN order_lines ON order_lines.order_id = orders.order_id
    WHERE status = 'completed' AND ordered_at >= :begin AND ordered_at < :end
        AND (CAST(:warehouse AS VARCHAR) = '' OR warehouse = :warehouse)
    GROUP BY orders.warehouse, order_lines.product_id
), items AS (
    SELECT stock.warehouse, stock.product_id, products.name, products.category,
        CAST(stock.on_hand AS BIGINT) AS on_hand, CAST(COALESCE(sold.units, 0) AS BIGINT) AS sold,
        stock.on_hand * products.unit_cost AS value
    FROM latest
    JOIN stock ON stock.warehouse = latest.warehouse AND stock.product_id = latest.product_id
        AND stock.counted_on = latest.counted_on
    LEFT JOIN products ON products.product_id = stock.product_id
    LEFT JOIN sold ON sold.warehouse = stock.warehouse AND sold.product_id = stock.product_id
)
"""
IS_LOW = "(on_hand = 0 OR on_hand * 28 < CAST(:threshold AS BIGINT) * sold)"

BY_CATEGORY = Query(f"""
{ITEMS}
SELECT category,
    CASE WHEN on_hand = 0 THEN 0 WHEN sold = 0 THEN 6 WHEN on_hand * 28 < 7 * sold THEN 1
        WHEN on_hand * 28 < 14 * sold THEN 2 WHEN on_hand * 28 < 28 * sold THEN 3
        WHEN on_hand * 28 < 56 * sold THEN 4 ELSE 5 END AS band,
    COUNT(*) AS items, CAST(SUM(on_hand) AS BIGINT) AS units, SUM(value) AS value,
    CAST(SUM(sold) AS BIGINT) AS sold, CAST(SUM(CASE WHEN {IS_LOW} THEN 1 ELSE 0 END) AS BIGINT) AS low
FROM items
GROUP BY 1, 2
ORDER BY 1, 2
""")

# Those that sell fastest beside what is left come first.
TO_REORDER = Query(f"""
{ITEMS}
SELECT product_id, name, category, warehouse, on_hand, sold, value
FROM items
WHERE {IS_LOW}
ORDER BY CASE WHEN sold = 0 THEN 1 ELSE 0 END, CAST(on_hand AS DOUBLE) / NULLIF(sold, 0), sold DESC,
    product_id, warehouse
""")

CATEGORY_COLUMNS = (
    Column("category", Kind.TEXT, "Category"),
    Column("items", Kind.INTEGER, "Items"),
    Column("units", Kind.INTEGER, "Units on hand"),
    Column("value", Kind.DECIMAL, "Value", "EUR"),
    Column("low_stock_items", Kind.INTEGER, "Low on stock"),
    Column("out_of_stock", Kind.INTEGER, "Out of stock"),
    Column("days_of_cover", Kind.DECIMAL, "Days of cover", "days"),
)
REORDER_COLUMNS = (
    Column("product_id", Kind.INTEGER, "Product no."),
    Column("name", Kind.TEXT, "Product"),
    Column("category", Kind.TEXT, "Category"),
    Column("warehouse", Kind.TEXT, "Warehouse"),
    Column("on_hand", Kind.INTEGER, "On hand", "units"),
    Column("sold", Kind.INTEGER, f"Sold in {SPEED_DAYS} days", "units"),
    Column("days_of_cover", Kind.DECIMAL, "Days of cover", "days"),
    Column("value", Kind.DECIMAL, "Value", "EUR"),
    Column("to_order", Kind.INTEGER, "To order", "units"),
)
COVER_COLUMNS = (
    Column("days_of_cover", Kind.TEXT, "Days of cover"),
    Column("items", Kind.INTEGER, "Items"),
)
UNKNOWN_CATEGORY = "Unknown"
UNITS: Mapping[str, str] = {"total_value": "EUR", "days_of_cover": "days", "processing_time": "s"}


def make(context: ReportContext) -> Contents:
    started = time.monotonic()
    values, warehouse = context.values, context.warehouse
    as_of, threshold = values["as_of"], values["threshold"]
    days = DateRange(as_of - timedelta(days=SPEED_DAYS - 1), as_of)
    local = LocalTime(days, context.timezone)
    chosen = {
        "as_of": as_of,
        "warehouse": values["warehouse"] or "",
        "threshold": threshold,
        "begin": local.begin,
        "end": local.end,
    }

    context.progress(0, "valuing stock")
    groups = warehouse.fetch(BY_CATEGORY, **chosen)
    categories = _add_up(groups)
    context.progress(60, "finding items to reorder")
    low = warehouse.fetch(TO_REORDER, **chosen)
    context.progress(100, "writing the report")

    total = _total(groups)
    summary = {
        "total_items": total[1],
        "low_stock_items": total[4],
        "out_of_stock": total[5],
        "total_value": float(total[3]),
        "total_units": total[2],
        "days_of_cover": None if total[6] is None else float(total[6]),
        "processing_time": round(time.monotonic() - started),
    }
    reordering = GivenRows(REORDER_COLUMNS, _to_reorder(low, threshold))
    return Contents(
        summary,
        tables=(
            Table("value", "Stock by category", GivenRows(CATEGORY_COLUMNS, categories), CATEGORY_COLUMNS),
            Table("to_reorder", "Items to reorder", reordering, REORDER_COLUMNS),
        ),
        charts=(_value_chart(categories, as_of), _cover_chart(groups)),
        units=UNITS,
    )


def _add_up(groups: Iterable[Row]) -> list[Row]:
    """Make one row of each category, the most valuable first."""
    by_category: dict[str, list[Row]] = defaultdict(list)
    for group in groups:
        by_category[group[0] or UNKNOWN_CATEGORY].append(group)
    rows = [(category, *_total(found)[1:]) for category, found in by_category.items()]
    return sorted(rows, key=lambda row: (-row[3], row[0]))


def _total(groups: Sequence[Row]) -> Row:
    value = sum((group[4] or Decimal() for group in groups), Decimal("0.00"))
    items, units, sold, low = (sum(group[index] for group in groups) for index in (2, 3, 5, 6))
    out = sum(group[2] for group in groups if group[1] == 0)
    return None, items, units, value, low, out, _cover(units, sold)


def _cover(on_hand: int, sold: int) -> Decimal | None:
    if not sold:
        return None
    return (Decimal(on_hand * SPEED_DAYS) / sold).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _to_reorder(items: Iterable[Row], threshold: int) -> Iterator[Row]:
    for *of_product, on_hand, sold, value in items:
        missing = max(0, -(-threshold * sold // SPEED_DAYS) - on_hand)
        yield (*of_product, on_hand, sold, _cover(on_hand, sold), value, missing)


def _value_chart(categories: Sequence[Row], as_of: date) -> Chart:
    spec: Mapping[str, Any] = {
        "mark": "bar",
        "encoding": {
            "y": {"field": "category", "type": "nominal", "sort": None, "title": "Category"},
            "x": {"field": "value", "type": "quantitative", "title": "Value (EUR)"},
        },
    }
    rows = [(row[0], row[3]) for row in categories]
    description = (
        f"What lay in stock on {as_of}, at unit cost." if rows else f"There are no counts up to {as_of}."
    )
    return Chart(
        "value_by_category",
        "Value by category",
        spec,
        (CATEGORY_COLUMNS[0], CATEGORY_COLUMNS[3]),
        rows,
        description,
    )


def _cover_chart(groups: Sequence[Row]) -> Chart:
    names = (*(name for _, name in BANDS), LAST_BAND, UNSOLD_BAND)
    spec: Mapping[str, Any] = {
        "mark": "bar",
        "encoding": {
            "x": {"field": "days_of_cover", "type": "ordinal", "sort": None, "title": "Days of cover"},
            "y": {"field": "items", "type": "quantitative", "title": "Items"},
        },
    }
    counts = [sum(group[2] for group in groups if group[1] == band) for band in range(len(names))]
    return Chart(
        "days_of_cover",
        "Items by days of cover",
        spec,
        COVER_COLUMNS,
        list(zip(names, counts, strict=True)) if groups else [],
        f"How long items last at the speed of the last {SPEED_DAYS} days."
        if groups
        else "There are no counts.",
    )


TYPE = ReportType(
    "inventory",
    "Inventory",
    "Items in stock, their value by category, how long they last, and what to reorder.",
    make,
    parameters=(
        Date(
            name="as_of",
            title="As of",
            default="today",
            min=date(1970, 1, 2 + SPEED_DAYS),
            max=date(2199, 12, 31),
            help="The latest counts up to this day are taken.",
        ),
        Choice(
            name="warehouse",
            query="SELECT DISTINCT warehouse FROM stock ORDER BY warehouse",
            help="Without a choice, all.",
        ),
        Integer(
            name="threshold",
            title="Threshold in days",
            default=14,
            min=0,
            max=365,
            help="An item is low on stock when its stock lasts fewer days than this.",
        ),
    ),
)
