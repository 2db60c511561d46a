"""The parameters of a type together: given values, defaults, and all errors."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reports_worker.parameters import (
    DateRange,
    check_parameters,
    describe_parameters,
    describe_schema,
    read_values,
    to_json,
)
from tests.every_kind import CALENDAR, EVERY_KIND, QUARTER

PARAMETERS = EVERY_KIND.parameters


def check(given: object, **how: bool) -> tuple[dict[str, Any], dict[str, str]]:
    canonical, errors = check_parameters(PARAMETERS, given, calendar=CALENDAR, **how)
    return canonical, {error.field: error.message for error in errors}


def test_defaults_are_filled_in_and_presets_are_worked_out() -> None:
    canonical, errors = check({"period": {"preset": "last_quarter"}})

    assert errors == {}
    assert canonical == {
        "top": 10,
        "net": True,
        "region": "EU",
        "channels": ["web"],
        "since": "2026-07-16",
        "period": {"preset": "last_quarter", **QUARTER},
    }


def test_canonical_values_stay_unchanged() -> None:
    kept, _ = check({"period": {"preset": "last_quarter"}, "net": False, "share": 0})
    kept["period"] = {"preset": "last_quarter", "from": "2020-01-01", "to": "2020-03-31"}

    assert check(kept, is_canonical=True) == (kept, {})


def test_all_that_is_wrong_is_named_at_once() -> None:
    _, errors = check({"top": "5", "net": 1, "region": "XX", "colour": "red", "\ud800": 1, "since": None})

    assert list(errors) == [
        "parameters.top",
        "parameters.net",
        "parameters.region",
        "parameters.since",
        "parameters.period",
        "parameters.colour",
        "parameters.\ud800",
    ]
    assert errors["parameters.period"] == "Period is required."
    assert errors["parameters.colour"].startswith(
        "'colour' is not a parameter of this type, which has note, top"
    )


def test_a_long_name_is_cut() -> None:
    _, errors = check({"period": QUARTER, "x" * 60_000: 1})

    assert max(len(field) + len(message) for field, message in errors.items()) < 500


def test_python_has_all_of_them_as_its_own_values() -> None:
    canonical, _ = check({"period": QUARTER, "channels": []})

    values = read_values(PARAMETERS, canonical)

    assert list(values) == [one.name for one in PARAMETERS]
    assert isinstance(values["period"], DateRange)
    assert (values["note"], values["share"], values["channels"]) == (None, None, ())
    assert to_json(values["period"]) == QUARTER


def test_people_read_titles_and_words() -> None:
    canonical, _ = check({"period": {"preset": "last_quarter"}})

    said = dict(describe_parameters(PARAMETERS, canonical | {"former": {"a": 1}}))

    assert said["Products"] == "10"
    assert said["Period"] == "Last quarter (2026-04-01 to 2026-06-30)"
    assert said["Note"] == "not given"
    assert said["former"] == "{'a': 1}"


def test_the_schema_has_required_parameters_and_defaults() -> None:
    schema = describe_schema(PARAMETERS)

    assert schema["required"] == ["period"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["top"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "title": "Products",
        "default": 10,
    }
    assert schema["properties"]["region"]["enum"] == ["EU", "US", 7]
    assert "default" not in schema["properties"]["since"]
    assert schema["properties"]["note"]["description"] == "What the report says on top."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NAMES = [one.name for one in PARAMETERS]


@given(JSON | st.dictionaries(st.sampled_from([*NAMES, "other"]), JSON))
def test_any_json_is_accepted_or_refused_and_accepted_values_stay_accepted(given: Any) -> None:
    canonical, errors = check_parameters(PARAMETERS, given, calendar=CALENDAR)

    assert all(error.field.startswith("parameters") and error.message for error in errors)
    json.dumps(canonical, allow_nan=False).encode()
    if not errors:
        assert check_parameters(PARAMETERS, canonical, calendar=CALENDAR, is_canonical=True) == (
            canonical,
            [],
        )
        read_values(PARAMETERS, canonical)
        describe_parameters(PARAMETERS, canonical)
