"""Simulated figures: within their ranges, and in agreement with each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from reports_worker import CATALOG, ReportContext, ReportType, Settings
from reports_worker.lib.units import SecondsRange
from reports_worker.simulated import inventory, make_types, sales, users
from reports_worker.simulated.simulation import choose_seconds

AT_ONCE = make_types(SecondsRange(0, 0))
SEEDS = [f"task {number}" for number in range(2000)]


def seeded(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - made-up figures, nothing secret


def make(report_type: ReportType, task_id: str) -> tuple[Mapping[str, Any], list[tuple[int, str]]]:
    """Return the figures, and the reported progress."""
    told: list[tuple[int, str]] = []

    def progress(percent: int, stage: str) -> None:
        told.append((percent, stage))

    figures = report_type.make(ReportContext(task_id, "Quarter", {}, progress))
    assert isinstance(figures, Mapping)
    return figures, told


def test_there_are_the_three_types_of_the_sample() -> None:
    assert list(CATALOG) == ["sales", "inventory", "users"]
    assert all(name == report_type.name for name, report_type in CATALOG.items())


@pytest.mark.parametrize("seed", SEEDS[::500])
def test_sales_have_these_figures(seed: str) -> None:
    figures, _ = make(AT_ONCE["sales"], seed)

    assert list(figures) == ["total_sales", "orders", "average_order_value", "top_product", "processing_time"]


def test_sales_are_in_range_and_the_average_is_total_over_orders() -> None:
    for seed in SEEDS:
        figures = sales.draw(seeded(seed))

        assert 10_000 <= figures["total_sales"] <= 50_000
        assert 100 <= figures["orders"] <= 500
        assert 50 <= figures["average_order_value"] <= 200
        assert figures["average_order_value"] == round(figures["total_sales"] / figures["orders"], 2)
        product = re.fullmatch(r"Product-(\d+)", figures["top_product"])
        assert product is not None
        assert 1 <= int(product[1]) <= 100


def test_inventory_is_in_range_and_items_out_of_stock_are_low_on_stock_too() -> None:
    for seed in SEEDS:
        figures = inventory.draw(seeded(seed))

        assert list(figures) == ["total_items", "low_stock_items", "out_of_stock", "total_value"]
        assert 500 <= figures["total_items"] <= 2000
        assert 10 <= figures["low_stock_items"] <= 50
        assert 0 <= figures["out_of_stock"] <= 10
        assert 50_000 <= figures["total_value"] <= 200_000
        assert figures["out_of_stock"] <= figures["low_stock_items"] <= figures["total_items"]


def test_users_are_in_range_and_active_and_new_ones_are_among_all() -> None:
    for seed in SEEDS:
        figures = users.draw(seeded(seed))

        assert list(figures) == ["total_users", "active_users", "new_signups", "churn_rate"]
        assert 1000 <= figures["total_users"] <= 5000
        assert 500 <= figures["active_users"] <= 2000
        assert 50 <= figures["new_signups"] <= 200
        assert 1 <= figures["churn_rate"] <= 10
        assert figures["churn_rate"] == round(figures["churn_rate"], 2)
        assert figures["active_users"] <= figures["total_users"]
        assert figures["new_signups"] <= figures["total_users"]


def test_it_takes_a_whole_number_of_seconds_from_5_to_15() -> None:
    chosen = {choose_seconds(Settings().simulated_seconds, seeded(seed)) for seed in SEEDS}

    assert chosen == set(range(5, 16))


@pytest.mark.parametrize(
    ("low", "high", "allowed"),
    [(0, 0, {0}), (3, 3, {3}), (0.5, 2.5, {1, 2}), (4.2, 5, {5})],
)
def test_whole_seconds_are_chosen_where_the_range_holds_some(
    low: float, high: float, allowed: set[int]
) -> None:
    assert {choose_seconds(SecondsRange(low, high), seeded(seed)) for seed in SEEDS[:200]} == allowed


def test_any_seconds_are_chosen_where_the_range_holds_no_whole_number() -> None:
    for seed in SEEDS[:200]:
        assert 0.2 <= choose_seconds(SecondsRange(0.2, 0.4), seeded(seed)) <= 0.4


@pytest.mark.parametrize("name", CATALOG)
def test_the_same_report_made_again_has_the_same_figures(name: str) -> None:
    assert make(AT_ONCE[name], "one id")[0] == make(AT_ONCE[name], "one id")[0]
    assert make(AT_ONCE[name], "one id")[0] != make(AT_ONCE[name], "another id")[0]


@pytest.mark.parametrize("name", CATALOG)
def test_percent_rises_from_0_through_four_stages(name: str) -> None:
    _, told = make(make_types(SecondsRange(0.02, 0.02))[name], "one id")

    percents = [percent for percent, _ in told]
    assert percents == sorted(percents)
    assert percents[0] == 0
    assert percents[-1] < 100
    stages = list(dict.fromkeys(stage for _, stage in told))
    assert len(stages) == 4
    assert stages[-1] == "writing the report"


def test_the_processing_time_is_reported() -> None:
    figures, _ = make(make_types(SecondsRange(1, 1))["sales"], "one id")

    assert figures["processing_time"] == 1
