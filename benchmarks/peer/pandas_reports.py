"""The three reports by pandas, as they are written where there is no database: whole columns in memory.

Arguments: the folder of Parquet files, the report. Prints seconds, its most memory, and some of the figures.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd

BEGIN, END = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-07-01")
BEFORE = pd.Timestamp("2025-07-01")
AS_OF, SPEED_DAYS, THRESHOLD = pd.Timestamp("2026-06-30"), 28, 14


def read(folder, table, *columns):
    return pd.read_parquet(folder / f"{table}.parquet", columns=list(columns))


def make_sales(folder):
    orders = read(folder, "orders", "order_id", "ordered_at", "status", "total")
    orders = orders[orders.status == "completed"]
    orders = orders.assign(total=orders.total.astype(float))
    chosen = orders[(orders.ordered_at >= BEGIN) & (orders.ordered_at < END)]
    months = chosen.groupby(chosen.ordered_at.dt.to_period("M")).total.agg(["count", "sum"])
    before = orders[(orders.ordered_at >= BEFORE) & (orders.ordered_at < BEGIN)]
    lines = read(folder, "order_lines", "order_id", "product_id", "quantity", "amount")
    lines = lines[lines.order_id.isin(chosen.order_id)]
    lines = lines.assign(amount=lines.amount.astype(float))
    sold = lines.groupby("product_id").agg(units=("quantity", "sum"), revenue=("amount", "sum"))
    products = read(folder, "products", "product_id", "name", "category").set_index("product_id")
    top = sold.join(products).sort_values("revenue", ascending=False).head(20)
    return {
        "orders": int(months["count"].sum()),
        "previous_orders": len(before),
        "total_sales": round(float(months["sum"].sum()), 2),
        "top_product": top.name.iloc[0],
    }


def make_inventory(folder):
    stock = read(folder, "stock", "counted_on", "warehouse", "product_id", "on_hand")
    stock = stock.assign(counted_on=pd.to_datetime(stock.counted_on))
    stock = stock[stock.counted_on <= AS_OF].sort_values("counted_on")
    latest = stock.groupby(["warehouse", "product_id"]).last()
    orders = read(folder, "orders", "order_id", "ordered_at", "warehouse", "status")
    first, end = AS_OF - pd.Timedelta(days=SPEED_DAYS - 1), AS_OF + pd.Timedelta(days=1)
    orders = orders[(orders.status == "completed") & (orders.ordered_at >= first) & (orders.ordered_at < end)]
    lines = read(folder, "order_lines", "order_id", "product_id", "quantity")
    sold = lines.merge(orders[["order_id", "warehouse"]], on="order_id")
    units = sold.groupby(["warehouse", "product_id"]).quantity.sum().rename("sold")
    items = latest.join(units).fillna({"sold": 0}).reset_index()
    products = read(folder, "products", "product_id", "category", "unit_cost")
    items = items.merge(products, on="product_id", how="left")
    items["value"] = items.on_hand * items.unit_cost.astype(float)
    items["is_low"] = (items.on_hand == 0) | (items.on_hand * SPEED_DAYS < THRESHOLD * items.sold)
    items.groupby("category").agg(
        {"on_hand": "sum", "value": "sum", "sold": "sum", "is_low": "sum"}
    ).sort_values("value")
    return {
        "total_items": len(items),
        "low_stock_items": int(items.is_low.sum()),
        "out_of_stock": int((items.on_hand == 0).sum()),
        "total_units": int(items.on_hand.sum()),
    }


def make_users(folder):
    users = read(folder, "users", "user_id", "signed_up_at")
    users = users[users.signed_up_at < END]
    new = users[users.signed_up_at >= BEGIN]
    new.groupby(new.signed_up_at.dt.to_period("M")).size()
    sign_ins = read(folder, "sign_ins", "user_id", "signed_in_at")
    chosen = sign_ins[(sign_ins.signed_in_at >= BEGIN) & (sign_ins.signed_in_at < END)]
    before = sign_ins[(sign_ins.signed_in_at >= BEFORE) & (sign_ins.signed_in_at < BEGIN)]
    active, active_before = chosen.user_id.drop_duplicates(), before.user_id.drop_duplicates()
    chosen.groupby(chosen.signed_in_at.dt.to_period("M")).user_id.nunique()
    comers = users[users.signed_up_at >= BEFORE]
    comers = comers.assign(cohort=comers.signed_up_at.dt.to_period("M"))
    seen = sign_ins[(sign_ins.signed_in_at >= BEFORE) & (sign_ins.signed_in_at < END)]
    seen = seen.merge(comers[["user_id", "cohort"]], on="user_id")
    seen = seen.assign(month=seen.signed_in_at.dt.to_period("M"))
    seen.groupby(["cohort", "month"]).user_id.nunique()
    return {
        "total_users": len(users),
        "new_signups": len(new),
        "active_users": len(active),
        "churned_users": int((~active_before.isin(active)).sum()),
    }


def main(folder, report):
    make = {"sales": make_sales, "inventory": make_inventory, "users": make_users}[report]
    begin = time.monotonic()
    found = make(Path(folder))
    seconds = time.monotonic() - begin
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({"seconds": seconds, "megabytes": int(peak) * 1024 / 1e6, "found": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
