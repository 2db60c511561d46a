"""Values of each kind of parameter: given, canonical, in Python, and in words for people."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reports_worker.errors import ParameterError
from reports_worker.parameters import (
    Boolean,
    Choice,
    Choices,
    Date,
    DateRange,
    Integer,
    Number,
    Parameter,
    Period,
    Text,
)
from tests.every_kind import CALENDAR, CHANNELS, NET, NOTE, PERIOD, QUARTER, REGION, SHARE, SHOP, SINCE, TOP

NAN, INFINITE = float("nan"), float("inf")
SQL = "'; DROP TABLE orders; --"
NESTED: Any = {"a": [{"b": [[["c"]]]}]}
ANYTHING = [None, True, 5, 5.5, "5", "true", [], ["EU"], {}, NESTED, NAN, INFINITE, 10**400, "\ud800", b"x"]


def parse(parameter: Parameter, value: object) -> Any:
    return parameter.parse(value, CALENDAR)


def refuse(parameter: Parameter, value: object) -> str:
    with pytest.raises(ParameterError) as refusal:
        parse(parameter, value)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("parameter", "value", "canonical", "python"),
    [
        (NOTE, SQL, SQL, SQL),
        (NOTE, "", "", ""),
        (NOTE, "季度 👩‍👧", "季度 👩‍👧", "季度 👩‍👧"),
        (TOP, 1, 1, 1),
        (TOP, 100.0, 100, 100),
        (SHARE, 1, 1.0, 1.0),
        (SHARE, -0.0, 0.0, 0.0),
        (NET, False, False, False),
        (REGION, "US", "US", "US"),
        (REGION, 7, 7, 7),
        (REGION, 7.0, 7, 7),
        (SHOP, "any", "any", "any"),
        (SHOP, 12, 12, 12),
        (CHANNELS, ["phone", "web"], ["web", "phone"], ("web", "phone")),
        (CHANNELS, [], [], ()),
        (SINCE, "2024-02-29", "2024-02-29", date(2024, 2, 29)),
        (PERIOD, QUARTER, QUARTER, DateRange(date(2026, 4, 1), date(2026, 6, 30))),
        (
            PERIOD,
            {"preset": "last_quarter"},
            {"preset": "last_quarter", **QUARTER},
            DateRange(date(2026, 4, 1), date(2026, 6, 30)),
        ),
    ],
)
def test_a_value_is_brought_to_one_form_and_read_from_it(
    parameter: Parameter, value: object, canonical: object, python: object
) -> None:
    kept = parse(parameter, value)

    assert kept == canonical
    assert type(kept) is type(canonical)
    assert parameter.to_python(kept) == python
    assert parameter.parse(kept, None) == kept


@pytest.mark.parametrize(
    ("parameter", "allowed", "rule"),
    [
        (NOTE, [""], "Note must be text."),
        (TOP, [5], "Products must be a whole number from 1 to 100."),
        (SHARE, [], "Share must be a number from 0 to 1."),
        (NET, [True], "Net of tax must be true or false."),
        (REGION, [], "Region must be one of EU, US, 7."),
        (CHANNELS, [[]], "Channels must be a list."),
        (SINCE, [], "Since must be a day, such as 2026-07-01."),
        (PERIOD, [], "Period must be a preset, or a first and a last day: "),
    ],
)
def test_values_of_other_kinds_are_refused_and_never_converted(
    parameter: Parameter, allowed: list[object], rule: str
) -> None:
    others = [one for one in ANYTHING if not any(type(one) is type(two) and one == two for two in allowed)]
    for value in others:
        is_text = isinstance(value, str) and parameter is NOTE
        is_list = isinstance(value, list) and parameter is CHANNELS
        if not (is_text or is_list):
            assert refuse(parameter, value).startswith(rule), value


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        (NOTE, "x" * 41, "Note must have 0 to 40 characters."),
        (NOTE, "a\nb", "Note must not contain control characters or line breaks."),
        (NOTE, "\ud800", "Note must not contain control characters or line breaks."),
        (TOP, 0, "Products must be a whole number from 1 to 100."),
        (TOP, 10**4000, "Products must be a whole number from 1 to 100."),
        (REGION, "eu", "Region must be one of EU, US, 7."),
        (REGION, "7", "Region must be one of EU, US, 7."),
        (REGION, SQL, "Region must be one of EU, US, 7."),
        (SHOP, "", "Shop must be text on one line or a whole number."),
        (SHOP, "x" * 201, "Shop must be text on one line or a whole number."),
        (CHANNELS, ["web"] * 10_000, "Channels must have 0 to 200 items."),
        (CHANNELS, ["web", "web"], "Channels must not have the same item twice."),
        (
            CHANNELS,
            ["web", ["shop"]],
            "Channels must be a list, each item of which is one of web, shop, phone.",
        ),
        (SINCE, "2026-02-30", "Since must be a day, such as 2026-07-01."),
        (SINCE, "20260701", "Since must be a day, such as 2026-07-01."),
        (SINCE, "2026-W27-1", "Since must be a day, such as 2026-07-01."),
        (SINCE, "\uff12\uff10\uff12\uff16-07-01", "Since must be a day, such as 2026-07-01."),
        (SINCE, "today", "Since must be a day, such as 2026-07-01."),
        (
            PERIOD,
            {"from": "2026-07-02", "to": "2026-07-01"},
            "Period must not end before it begins: 2026-07-02 is after 2026-07-01.",
        ),
    ],
)
def test_a_value_beyond_the_limits_is_refused_with_what_is_allowed(
    parameter: Parameter, value: object, sentence: str
) -> None:
    assert refuse(parameter, value) == sentence


@pytest.mark.parametrize(
    "value",
    [
        {"from": "2026-07-01"},
        {"from": "2026-07-01", "to": 7},
        {"from": "2026-07-01", "to": "2026-07-02", "zone": "UTC"},
        {"preset": "last_quarter", 7: 7},
        {"preset": "last_quarter", "to": 7},
        {"preset": "last_quarter", "from": "Monday"},
    ],
)
def test_half_a_period_or_more_than_one_is_refused(value: object) -> None:
    assert "a first and a last day" in refuse(PERIOD, value)


@pytest.mark.parametrize("preset", ["last_decade", "", None, [], {"a": 1}])
def test_an_unknown_preset_is_refused_with_the_known_presets(preset: object) -> None:
    assert "one of today, yesterday" in refuse(PERIOD, {"preset": preset})


def test_the_limits_of_a_period_hold_for_presets_too() -> None:
    period = Period(name="period", min=date(2026, 7, 1), max_days=31, presets=["last_quarter", "this_month"])

    assert "of at least 2026-07-01" in refuse(period, {"preset": "last_quarter"})
    assert "at most 31 days, not 32" in refuse(period, {"from": "2026-07-01", "to": "2026-08-01"})
    assert parse(period, {"preset": "this_month"})["to"] == "2026-07-31"
    assert "one of last_quarter, this_month" in refuse(period, {"preset": "today"})


def test_the_days_of_a_preset_are_worked_out_when_it_is_asked_for_and_not_again() -> None:
    stale = {"preset": "last_quarter", "from": "2020-01-01", "to": "2020-03-31"}

    assert parse(PERIOD, stale) == {"preset": "last_quarter", **QUARTER}
    assert PERIOD.parse(stale, None) == stale


def test_a_pattern_applies_to_the_whole_text_and_its_help_is_the_message() -> None:
    sku = Text(name="sku", pattern="[A-Z]{2}[0-9]+", help="must be two letters and digits.")

    assert parse(sku, "AB12") == "AB12"
    assert refuse(sku, "AB12; --") == "Sku must be two letters and digits."
    assert refuse(Text(name="sku", pattern="a+"), "b") == "Sku must match a+."


@pytest.mark.parametrize(
    ("parameter", "texts", "value"),
    [
        (NOTE, ["5"], "5"),
        (TOP, [" 5 "], 5),
        (TOP, ["5.0"], "5.0"),
        (TOP, ["9" * 5000], "9" * 5000),
        (TOP, ["1", "2"], ["1", "2"]),
        (SHARE, ["0.5"], 0.5),
        (SHARE, ["1e-3"], 0.001),
        (SHARE, ["nan"], "nan"),
        (NET, ["No"], False),
        (NET, ["perhaps"], "perhaps"),
        (REGION, ["7"], 7),
        (REGION, ["US"], "US"),
        (REGION, ["?"], "?"),
        (CHANNELS, ["web", "phone"], ["web", "phone"]),
        (SINCE, ["2026-07-01"], "2026-07-01"),
        (PERIOD, ["last_month"], {"preset": "last_month"}),
        (PERIOD, ["2026-04-01..2026-06-30"], QUARTER),
    ],
)
def test_text_input_becomes_a_json_value_or_stays_text(
    parameter: Parameter, texts: list[str], value: object
) -> None:
    assert parameter.from_texts(texts) == value


@pytest.mark.parametrize(
    ("parameter", "value", "texts"),
    [
        (TOP, 5, ["5"]),
        (SHARE, 1.0, ["1"]),
        (SHARE, 0.25, ["0.25"]),
        (NET, True, ["true"]),
        (CHANNELS, ["web", "shop"], ["web", "shop"]),
        (PERIOD, {"preset": "today", "from": "2026-07-16", "to": "2026-07-16"}, ["today"]),
        (PERIOD, QUARTER, ["2026-04-01..2026-06-30"]),
    ],
)
def test_a_value_can_be_typed_again(parameter: Parameter, value: object, texts: list[str]) -> None:
    assert list(parameter.to_texts(value)) == texts
    assert parse(parameter, parameter.from_texts(texts)) == parse(parameter, value)


@pytest.mark.parametrize(
    ("parameter", "canonical", "words"),
    [
        (NOTE, None, "not given"),
        (TOP, 1000000, "1,000,000"),
        (SHARE, 0.5, "0.5"),
        (NET, True, "yes"),
        (NET, False, "no"),
        (REGION, "EU", "Europe"),
        (REGION, "gone", "gone"),
        (CHANNELS, ["web", "phone"], "Web, Telephone"),
        (CHANNELS, [], "none"),
        (PERIOD, QUARTER, "2026-04-01 to 2026-06-30"),
        (PERIOD, {"preset": "last_quarter", **QUARTER}, "Last quarter (2026-04-01 to 2026-06-30)"),
    ],
)
def test_a_value_is_described_for_people(parameter: Parameter, canonical: object, words: str) -> None:
    assert parameter.describe(canonical) == words


@pytest.mark.parametrize(
    ("parameter", "kept"),
    [
        (NOTE, None),
        (TOP, 10),
        (SINCE, "2026-07-16"),
        (Date(name="d", default="yesterday"), "2026-07-15"),
        (Date(name="d", default=date(2026, 1, 2)), "2026-01-02"),
        (CHANNELS, ["web"]),
        (Choices(name="c", options=["a", "b"], default=("b", "a")), ["a", "b"]),
        (PERIOD, {"preset": "last_quarter", **QUARTER}),
        (Period(name="p", default=DateRange(date(2026, 4, 1), date(2026, 6, 30))), QUARTER),
    ],
)
def test_a_default_is_kept_as_if_it_had_been_given(parameter: Parameter, kept: object) -> None:
    assert parameter.fill(CALENDAR) == kept


def test_a_parameter_left_out_without_a_default_is_none_or_no_choices() -> None:
    assert Integer(name="a").to_python(None) is None
    assert Number(name="a").to_python(None) is None
    assert Boolean(name="a").to_python(None) is None
    assert SHOP.to_python(None) is None
    assert Choices(name="a", options=["b"]).to_python(None) == ()


def test_a_required_list_needs_an_item() -> None:
    choices = Choices(name="a", options=["b", "c"], required=True)

    assert refuse(choices, []) == "A must have 1 to 200 items."


def test_the_rows_of_a_query_become_options_and_the_default_stays_one() -> None:
    region = Choice(name="region", query="SELECT", default="EU")

    resolved = region.with_options([("US", "United States"), ("CN",), ("x", "y", "z")])

    assert [resolved.describe(value) for value in ("US", "CN", "x")] == ["United States", "CN", "y"]
    assert parse(resolved, "EU") == "EU"
    assert refuse(resolved, "JP") == "Region must be one of EU, US, CN, x."
    assert resolved.query == "SELECT"


def test_a_choice_whose_query_found_nothing_allows_nothing() -> None:
    assert refuse(SHOP.with_options([]), "x") == "Shop must be left out: there is nothing to choose from."


def test_of_many_options_some_are_named() -> None:
    shop = SHOP.with_options((number,) for number in range(1000))

    assert refuse(shop, -1).endswith("18, 19 and 980 more.")
