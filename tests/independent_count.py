"""What the types must give, counted in plain Python: loops and dicts over all rows, and no SQL.

`compare` takes an open warehouse with the rows of `tables` in it, whatever its engine.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from reports_worker.authoring import Contents, DateRange, ReportContext, Row, Warehouse
from reports_worker.builtin import inventory, sales, users
from reports_worker.demo.rows import TABLES

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
CENT, TENTH = Decimal("0.01"), Decimal("0.1")
SPEED_DAYS = 28


@dataclass(frozen=True)
class Case:
    """What is asked for; `until` is the last day of the data."""

    until: date
    zone: ZoneInfo
    granularity: str
    region: str | None
    warehouse: str | None
    threshold: int

    @property
    def period(self) -> DateRange:
        """The ninety-one days up to a week before the end."""
        last = self.until - timedelta(days=7)
        return DateRange(last - timedelta(days=90), last)

    @property
    def before(self) -> DateRange:
        last = self.period.first - timedelta(days=1)
        return DateRange(last - timedelta(days=90), last)


def read_tables(folder: Path) -> Tables:
    """Read demo data as rows, without any SQL but that which reads a file."""
    tables = {}
    with duckdb.connect() as connection:
        for name in TABLES:
            rows = connection.read_parquet(str(folder / f"{name}.parquet"))
            columns = rows.columns
            tables[name] = [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]
    return tables


def cases(until: date, seed: int) -> Iterator[Case]:
    """Ask for several things: time zones on either side of UTC, one by half an hour, some change their clocks.

    The first seed is asked for all of them.
    """
    yield Case(until, ZoneInfo("Europe/Prague"), "week", "Asia", "Prague", 30)
    if seed > 1:
        return
    yield Case(until, ZoneInfo("UTC"), "month", None, None, 14)
    yield Case(until, ZoneInfo("Asia/Kolkata"), "day", "Europe", None, 0)
    yield Case(until, ZoneInfo("America/New_York"), "quarter", "Nowhere", "Nowhere", 14)


def compare(warehouse: Warehouse, tables: Tables, case: Case) -> None:
    """Make the three reports, and count what they must be."""
    made = make_all(warehouse, case)
    expect(made["sales"], *count_sales(tables, case), tables=("revenue", "top_products"))
    expect(made["inventory"], *count_inventory(tables, case), tables=("value", "to_reorder"))
    expect(made["users"], *count_users(tables, case), tables=("activity", "retention"))


def make_all(warehouse: Warehouse, case: Case) -> Mapping[str, Contents]:
    values: Mapping[str, Mapping[str, Any]] = {
        "sales": {"period": case.period, "granularity": case.granularity, "region": case.region, "top": 20},
        "inventory": {"as_of": case.period.last, "warehouse": case.warehouse, "threshold": case.threshold},
        "users": {"period": case.period, "granularity": case.granularity},
    }
    types = {"sales": sales.TYPE, "inventory": inventory.TYPE, "users": users.TYPE}
    made = {}
    for name, chosen in values.items():
        contents = types[name].make(
            ReportContext(
                task_id="",
                title="",
                parameters={},
                progress=lambda *_: None,
                timezone=case.zone,
                values=chosen,
                open_warehouse=lambda: warehouse,
            )
        )
        assert isinstance(contents, Contents)
        made[name] = contents
    return made


def expect(
    contents: Contents, summary: Mapping[str, Any], *rows: Sequence[Row], tables: Sequence[str]
) -> None:
    """Whole numbers and decimals are equal, and floats to one in a thousand million."""
    given = {name: value for name, value in contents.summary.items() if name != "processing_time"}
    assert given.keys() == summary.keys()
    for name, value in summary.items():
        assert_equal(given[name], value, name)
    assert tuple(table.name for table in contents.tables) == tables
    for table, expected in zip(contents.tables, rows, strict=True):
        found = [row for batch in table.rows.batches() for row in batch]
        assert len(found) == len(expected), table.name
        for ours, theirs in zip(found, expected, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                assert_equal(one, other, f"{table.name}: {ours} {theirs}")


def assert_equal(given: Any, expected: Any, what: str) -> None:
    if isinstance(expected, float):
        assert isinstance(given, float), what
        assert math.isclose(given, expected, rel_tol=1e-9), what
    else:
        assert given == expected, what
        assert type(given) is type(expected), what


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.replace(tzinfo=UTC).astimezone(zone).date()


def within(days: DateRange, day: date) -> bool:
    return days.first <= day <= days.last


def begin_of(day: date, granularity: str) -> date:
    if granularity == "week":
        return day - timedelta(days=day.isoweekday() - 1)
    if granularity == "month":
        return date(day.year, day.month, 1)
    if granularity == "quarter":
        return date(day.year, {1: 1, 2: 4, 3: 7, 4: 10}[(day.month + 2) // 3], 1)
    return day


def all_begins(days: DateRange, granularity: str) -> list[date]:
    found = []
    for number in range((days.last - days.first).days + 1):
        begin = begin_of(days.first + timedelta(days=number), granularity)
        if begin not in found:
            found.append(begin)
    return found


def count_sales(tables: Tables, case: Case) -> tuple[Mapping[str, Any], list[Row], list[Row]]:
    names = {row["product_id"]: row for row in tables["products"]}
    revenue: dict[date, Decimal] = defaultdict(lambda: Decimal("0.00"))
    orders: dict[date, int] = defaultdict(int)
    chosen, previous, previous_orders = set(), Decimal(), 0
    for order in tables["orders"]:
        if order["status"] != "completed" or case.region not in (None, order["region"]):
            continue
        day = local_day(order["ordered_at"], case.zone)
        if within(case.period, day):
            chosen.add(order["order_id"])
            revenue[begin_of(day, case.granularity)] += order["total"]
            orders[begin_of(day, case.granularity)] += 1
        if within(case.before, day):
            previous += order["total"]
            previous_orders += 1
    units: dict[int, int] = defaultdict(int)
    amounts: dict[int, Decimal] = defaultdict(Decimal)
    for line in tables["order_lines"]:
        if line["order_id"] in chosen:
            units[line["product_id"]] += line["quantity"]
            amounts[line["product_id"]] += line["quantity"] * line["unit_price"]
    best = sorted(amounts, key=lambda product: (-amounts[product], product))[:20]
    top = [
        (rank, product, names[product]["name"], names[product]["category"], units[product], amounts[product])
        for rank, product in enumerate(best, start=1)
    ]
    over_time = [
        (begin, orders[begin], revenue[begin], average(revenue[begin], orders[begin]))
        for begin in all_begins(case.period, case.granularity)
    ]
    total, count = sum(revenue.values(), Decimal()), sum(orders.values())
    change = (100 * (total - previous) / previous).quantize(CENT, ROUND_HALF_UP) if previous else None
    summary = {
        "total_sales": float(total),
        "orders": count,
        "average_order_value": to_float(average(total, count)),
        "top_product": top[0][2] if top else None,
        "previous_total_sales": float(previous),
        "previous_orders": previous_orders,
        "previous_average_order_value": to_float(average(previous, previous_orders)),
        "change": to_float(change),
    }
    return summary, over_time, top


def count_inventory(tables: Tables, case: Case) -> tuple[Mapping[str, Any], list[Row], list[Row]]:
    names = {row["product_id"]: row for row in tables["products"]}
    as_of = case.period.last
    counts: dict[tuple[str, int], tuple[date, int]] = {}
    for row in tables["stock"]:
        item = row["warehouse"], row["product_id"]
        if row["counted_on"] <= as_of and case.warehouse in (None, row["warehouse"]):
            counts[item] = max(counts.get(item, (date.min, 0)), (row["counted_on"], row["on_hand"]))
    days = DateRange(as_of - timedelta(days=SPEED_DAYS - 1), as_of)
    sender = {
        order["order_id"]: order["warehouse"]
        for order in tables["orders"]
        if order["status"] == "completed" and within(days, local_day(order["ordered_at"], case.zone))
    }
    sold: dict[tuple[str, int], int] = defaultdict(int)
    for line in tables["order_lines"]:
        if line["order_id"] in sender:
            sold[sender[line["order_id"]], line["product_id"]] += line["quantity"]
    by_category: dict[str, list[Any]] = defaultdict(lambda: [0, 0, Decimal(), 0, 0, 0])
    low = []
    for item, (_, on_hand) in counts.items():
        product, speed = names[item[1]], sold[item]
        is_low = on_hand == 0 or (speed > 0 and Decimal(on_hand * SPEED_DAYS) / speed < case.threshold)
        added = (1, on_hand, on_hand * product["unit_cost"], int(is_low), int(on_hand == 0), speed)
        sums = by_category[product["category"]]
        for index, number in enumerate(added):
            sums[index] += number
        if is_low:
            missing = max(0, math.ceil(case.threshold * speed / SPEED_DAYS) - on_hand)
            low.append(
                (
                    *(item[1], product["name"], product["category"], item[0], on_hand, speed),
                    *(cover(on_hand, speed), on_hand * product["unit_cost"], missing),
                )
            )
    low.sort(key=lambda row: (row[5] == 0, row[4] / row[5] if row[5] else 0, -row[5], row[0], row[3]))
    rows = [(category, *sums[:5], cover(sums[1], sums[5])) for category, sums in by_category.items()]
    rows.sort(key=lambda row: (-row[3], row[0]))
    speed = sum(sums[5] for sums in by_category.values())
    summary = {
        "total_items": sum(row[1] for row in rows),
        "low_stock_items": len(low),
        "out_of_stock": sum(row[5] for row in rows),
        "total_value": float(sum(row[3] for row in rows)),
        "total_units": sum(row[2] for row in rows),
        "days_of_cover": to_float(cover(sum(row[2] for row in rows), speed)),
    }
    return summary, rows, low


def count_users(tables: Tables, case: Case) -> tuple[Mapping[str, Any], list[Row], list[Row]]:
    signed_up = {row["user_id"]: local_day(row["signed_up_at"], case.zone) for row in tables["users"]}
    days_of: dict[int, set[date]] = defaultdict(set)
    for row in tables["sign_ins"]:
        days_of[row["user_id"]].add(local_day(row["signed_in_at"], case.zone))
    active = {user for user, days in days_of.items() if any(within(case.period, day) for day in days)}
    before = {user for user, days in days_of.items() if any(within(case.before, day) for day in days)}
    come: dict[date, set[int]] = defaultdict(set)
    seen: dict[date, set[int]] = defaultdict(set)
    for user, day in signed_up.items():
        if within(case.period, day):
            come[begin_of(day, case.granularity)].add(user)
    for user, days in days_of.items():
        for day in days:
            if within(case.period, day):
                seen[begin_of(day, case.granularity)].add(user)
    begins = all_begins(case.period, case.granularity)
    over_time = [(begin, len(come[begin]), len(seen[begin])) for begin in begins]
    last = case.period.last
    months_of = {
        user: {begin_of(day, "month") for day in days if day <= last} for user, days in days_of.items()
    }
    months = [date(last.year - 1, last.month, 1)]
    while (month := (months[-1] + timedelta(days=31)).replace(day=1)) <= last:
        months.append(month)
    months = months[1:]
    retention = []
    for cohort in months:
        comers = {user for user, day in signed_up.items() if begin_of(day, "month") == cohort and day <= last}
        for number, month in enumerate(months[months.index(cohort) :] if comers else ()):
            still = {user for user in comers if month in months_of[user]}
            share = (Decimal(100 * len(still)) / len(comers)).quantize(TENTH, ROUND_HALF_UP)
            retention.append((cohort, number, len(comers), len(still), share))
    gone = before - active
    rate = (Decimal(100 * len(gone)) / len(before)).quantize(CENT, ROUND_HALF_UP) if before else None
    summary = {
        "total_users": sum(day <= last for day in signed_up.values()),
        "active_users": len(active),
        "new_signups": sum(within(case.period, day) for day in signed_up.values()),
        "churn_rate": to_float(rate),
        "churned_users": len(gone),
        "previous_active_users": len(before),
    }
    return summary, over_time, retention


def average(revenue: Decimal, orders: int) -> Decimal | None:
    return (revenue / orders).quantize(CENT, ROUND_HALF_UP) if orders else None


def cover(on_hand: int, sold: int) -> Decimal | None:
    return (Decimal(on_hand * SPEED_DAYS) / sold).quantize(TENTH, ROUND_HALF_UP) if sold else None


def to_float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)
