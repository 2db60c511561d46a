"""The files of the API's description: each limit comes from the code, so no number is written twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from reports_app.contract.openapi.limits import find_limits
from reports_app.contract.openapi.templates import read_parameters, read_paths, read_schemas

FILES = ("components", "paths", "schemas")
LIMITS = ("maximum", "maxLength", "default", "enum")
# Percent: no constant of the code, but what the word means.
WRITTEN_OUT = [("maximum", 100)]


def read_text(name: str) -> str:
    return (resources.files("reports_app.contract.openapi") / f"{name}.json").read_text(encoding="utf-8")


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in a document."""
    if isinstance(value, dict):
        yield from value.items()
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(one)


def test_each_value_has_a_place_and_each_place_a_value() -> None:
    places = {place for name in FILES for place in re.findall(r"\$\{([^}]*)\}", read_text(name))}

    assert places == find_limits([]).keys()


def test_no_limit_is_written_into_a_file() -> None:
    members = [one for name in FILES for one in walk(json.loads(read_text(name))) if one[0] in LIMITS]

    assert members
    assert [one for one in members if not isinstance(one[1], str)] == WRITTEN_OUT


def test_no_sentence_of_a_file_states_a_number() -> None:
    sentences = [
        text
        for name in FILES
        for member, text in walk(json.loads(read_text(name)))
        if member in ("description", "summary") and isinstance(text, str)
    ]

    assert [text for text in sentences if re.search(r"\d", re.sub(r"\$\{.*?\}|SHA-256", "", text))] == []


def test_a_place_becomes_the_value_itself_and_in_a_sentence_its_text() -> None:
    limits = find_limits(["sales"])

    assert read_parameters(limits)["limit"]["schema"]["maximum"] == limits["most_listed"]
    assert (
        "1,234 reports" in read_paths({**limits, "most_scanned": 1234})["/api/reports"]["get"]["description"]
    )
    assert read_schemas(limits)["Submission"]["properties"]["type"]["enum"] == ["sales"]


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="statuses"):
        read_parameters({name: value for name, value in find_limits([]).items() if name != "statuses"})


def test_a_caller_may_change_the_schemas_that_it_got() -> None:
    limits = find_limits([])
    read_schemas(limits)["Submission"]["properties"].clear()

    assert read_schemas(limits)["Submission"]["properties"]
