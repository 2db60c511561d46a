"""Definitions of parameters: contradictions are refused, and valid definitions survive as data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from reports_worker import ReportType, TypeDescription
from reports_worker.domain.type_description import type_from_data
from reports_worker.errors import DefinitionError
from reports_worker.parameters import (
    KINDS,
    Boolean,
    Choice,
    Choices,
    Date,
    Integer,
    Number,
    Option,
    Period,
    Text,
    from_data,
)
from tests.every_kind import EVERY_KIND


@pytest.mark.parametrize(
    "name", ["", "Region", "the region", "größe", "9th", "_x", "a-b", "from", "a" * 51, "a\n", None, 7]
)
def test_a_name_is_an_identifier_in_lower_case(name: Any) -> None:
    with pytest.raises(DefinitionError, match="lower-case letters, digits and underscores"):
        Text(name=name)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: Text(name="a", min_length=5, max_length=4), "lengths are from 5 to 4"),
        (lambda: Text(name="a", max_length=10**9), "may be from 0 to 10000"),
        (lambda: Text(name="a", pattern="("), "pattern is not a regular expression"),
        (
            lambda: Text(name="a", max_length=2, default="abc"),
            "its default 'abc' is not allowed: A must have",
        ),
        (lambda: Text(name="a", title=7), "title and help must be text"),  # type: ignore[arg-type]
        (lambda: Integer(name="a", min=2, max=1), "its limits are 2 and 1"),
        (lambda: Integer(name="a", max=10**20), "from -9007199254740991 to"),
        (lambda: Integer(name="a", min=True), "give whole numbers"),
        (
            lambda: Integer(name="a", max=5, default=6),
            "its default 6 is not allowed: A must be a whole number",
        ),
        (lambda: Integer(name="a", default="5"), "its default '5' is not allowed"),
        (lambda: Number(name="a", min=float("nan")), "its limit nan is not a number"),
        (lambda: Number(name="a", min=1, max=0), "the smaller number first"),
        (lambda: Boolean(name="a", default="yes"), "must be true or false"),
        (lambda: Choice(name="a"), "neither options nor a query"),
        (lambda: Choice(name="a", options=[]), "it has no options"),
        (lambda: Choice(name="a", options="EU"), "must be a list"),
        (lambda: Choice(name="a", options=7), "its options are not valid"),  # type: ignore[arg-type]
        (lambda: Choice(name="a", options=["EU", "EU"]), "'EU' occurs twice"),
        (lambda: Choice(name="a", options=["7", 7]), "'7' occurs twice"),
        (lambda: Choice(name="a", options=[True]), "True cannot be an option"),
        (lambda: Choice(name="a", options=["a\nb"]), "cannot be an option"),
        (lambda: Choice(name="a", options=[("EU", 7)]), "label of the option 'EU' must be text"),
        (lambda: Choice(name="a", options=range(1001)), "more than 1,000 options"),
        (lambda: Choice(name="a", query=" "), "its query must be SQL"),
        (lambda: Choice(name="a", options=["EU"], default="US"), "its default 'US' is not allowed"),
        (lambda: Choices(name="a", options=["EU"], min_items=2), "at least 2 of 1 options"),
        (lambda: Choices(name="a", options=["EU"], min_items=2, max_items=1), "from 2 to 1 items"),
        (lambda: Choices(name="a", options=["EU"], default="EU"), "must be a list"),
        (lambda: Date(name="a", min=date(2026, 2, 1), max=date(2026, 1, 1)), "the earlier day first"),
        (lambda: Date(name="a", min="soon"), "give days"),  # type: ignore[arg-type]
        (lambda: Date(name="a", default="tomorrow"), "its default 'tomorrow' is not allowed"),
        (lambda: Period(name="a", default="last_decade"), "must have a preset that is one of"),
        (
            lambda: Period(name="a", presets=["last_decade"]),
            "'last_decade' is not a preset; the presets are today, yesterday",
        ),
        (lambda: Period(name="a", presets="today"), "'today' is not a preset"),
        (lambda: Period(name="a", presets=["today"], default="yesterday"), "one of today"),
        (lambda: Period(name="a", max_days=0), "max_days is 0"),
    ],
)
def test_a_definition_that_contradicts_itself_is_refused_with_the_reason(
    make: Callable[[], object], fault: str
) -> None:
    with pytest.raises(DefinitionError) as refusal:
        make()

    assert fault in str(refusal.value)
    assert "'a'" in str(refusal.value)


def test_two_parameters_of_a_name_are_refused() -> None:
    twice = (Text(name="a"), Integer(name="a"))

    with pytest.raises(DefinitionError, match="Two parameters have the name 'a'"):
        TypeDescription("x", "X", parameters=twice)
    with pytest.raises(DefinitionError, match="Two parameters have the name 'a'"):
        ReportType("x", "X", "", lambda _: {}, parameters=twice)


@pytest.mark.parametrize("formats", [("docx",), "csv", (7,)])
def test_formats_are_those_that_there_are(formats: Any) -> None:
    with pytest.raises(DefinitionError, match="csv, parquet, xlsx, pdf, svg, png, json"):
        ReportType("x", "X", "", lambda _: {}, formats=formats)


def test_a_description_survives_as_json() -> None:
    text = json.dumps(EVERY_KIND.to_data())

    assert type_from_data(json.loads(text)) == EVERY_KIND
    assert {one.kind for one in EVERY_KIND.parameters} == KINDS.keys()


@pytest.mark.parametrize(
    "parameter",
    [
        Text(name="a", pattern="x+", min_length=1),
        Number(name="a", min=0.5),
        Choices(name="a", query="SELECT", min_items=1, max_items=3).with_options([(1, "One"), (2, "Two")]),
        Choice(name="a", options=[Option(1, "One")], required=True),
        Date(name="a", min=date(2020, 1, 1), max=date(2030, 1, 1), default="yesterday"),
        Period(name="a", max=date(2030, 1, 1), max_days=400, presets=["today"], default="today"),
    ],
)
def test_limits_survive_as_json(parameter: Any) -> None:
    assert from_data(json.loads(json.dumps(parameter.to_data()))) == parameter


@pytest.mark.parametrize(
    "data",
    [None, {}, [], {"kind": "colour", "name": "a"}, {"kind": "text"}, {"kind": "text", "name": "a", "b": 1}],
)
def test_data_that_is_no_parameter_is_refused(data: Any) -> None:
    with pytest.raises(DefinitionError):
        from_data(data)


@pytest.mark.parametrize("data", [None, {}, {"name": "x"}, {"name": "x", "title": "X", "parameters": [7]}])
def test_data_that_is_no_type_is_refused(data: Any) -> None:
    with pytest.raises(DefinitionError):
        type_from_data(data)


def test_a_type_is_described_without_its_code() -> None:
    report_type = ReportType("x", "X", "About x.", lambda _: {}, parameters=[Text(name="a")], formats=["csv"])

    described = report_type.describe(version="7", source="x.py")

    assert described == TypeDescription("x", "X", "About x.", (Text(name="a"),), ("csv",), "7", "x.py")
