"""Placeholders `:name` in statements of any dialect, and similar text that is not a placeholder."""

from __future__ import annotations

import pytest

from reports_worker.warehouse.errors import WarehouseError
from reports_worker.warehouse.placeholders import Style, bind, find_names

DOLLARS = Style(mark=lambda name: f"${name}")
ARRAYS = Style(mark=lambda name: f"%({name})s", escape=lambda text: text.replace("%", "%%"), arrays=True)


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("SELECT :a", "SELECT $a"),
        ("SELECT x::int, :a::date, y>=:a", "SELECT x::int, $a::date, y>=$a"),
        ("SELECT ':a', \":a\", :a -- :a\n/* :a */", "SELECT ':a', \":a\", $a -- :a\n/* :a */"),
        ("SELECT x[1:a], {'k':a, j:a}, :a", "SELECT x[1:a], {'k':a, j:a}, $a"),
        ("SELECT 'it''s :a', (:a)", "SELECT 'it''s :a', ($a)"),
        ("SELECT :a; -- done", "SELECT $a"),
        ("SELECT 'é中:a', :a", "SELECT 'é中:a', $a"),
    ],
)
def test_only_a_placeholder_is_replaced(sql: str, written: str) -> None:
    assert bind(sql, {"a": 1}, dialect="duckdb", style=DOLLARS) == (written, {"a": 1})


def test_text_between_dollars_is_no_placeholder() -> None:
    text, _ = bind("SELECT $$ :b $$, :a, '50%'", {"a": 1}, dialect="postgres", style=ARRAYS)

    assert text == "SELECT $$ :b $$, %(a)s, '50%%'"


def test_several_values_get_a_mark_each_or_one_array() -> None:
    sql = "x IN (:a) OR y NOT IN ( :a )"

    assert bind(sql, {"a": (1, 2)}, dialect="duckdb", style=DOLLARS) == (
        "x IN ($a_0, $a_1) OR y NOT IN ( $a_0, $a_1 )",
        {"a_0": 1, "a_1": 2},
    )
    assert bind(sql, {"a": (1, 2)}, dialect="postgres", style=ARRAYS) == (
        "x = ANY (%(a)s) OR y <> ALL (%(a)s)",
        {"a": [1, 2]},
    )
    assert (
        bind("x IN (:a)", {"a": ()}, dialect="duckdb", style=DOLLARS)[0] == "x IN (SELECT NULL WHERE 1 = 0)"
    )


@pytest.mark.parametrize(
    ("sql", "values", "says"),
    [
        ("SELECT :a", {}, "needs a value for :a"),
        ("SELECT 1", {"a": 1}, "has no :a"),
        ("SELECT :a", {"a": (1, 2)}, "can be used only as IN"),
        ("SELECT x IN (:a, 3)", {"a": (1, 2)}, "can be used only as IN"),
        ("SELECT 1; SELECT 2", {}, "one statement"),
        ("SELECT 'x", {}, "cannot be read"),
    ],
)
def test_names_and_values_that_do_not_agree_are_refused(
    sql: str, values: dict[str, object], says: str
) -> None:
    with pytest.raises(WarehouseError, match=says):
        bind(sql, values, dialect="duckdb", style=DOLLARS)


def test_two_values_never_share_a_mark() -> None:
    text, values = bind("x IN (:a) AND y = :a_0", {"a": (1,), "a_0": 2}, dialect="duckdb", style=DOLLARS)

    assert len(values) == 2
    assert sorted(values.values()) == [1, 2]
    assert all(f"${name}" in text for name in values)


def test_each_name_of_a_statement_is_found_once() -> None:
    assert find_names("SELECT :b, :a, ':c' WHERE :b", dialect="duckdb") == ("b", "a")
