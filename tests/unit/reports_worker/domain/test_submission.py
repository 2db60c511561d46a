"""What may be asked for, in whatever form it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_worker import (
    FORMATS,
    LONGEST_TITLE,
    TYPES,
    FieldError,
    InvalidSubmissionError,
    Submission,
    parse_submission,
)
from reports_worker.domain.submission import MOST_ERRORS
from reports_worker.parameters.calendar import EXAMPLE


def parse(**fields: object) -> Submission:
    return parse_submission({"title": "Quarter", "type": "sales", **fields}, types=TYPES, calendar=EXAMPLE)


def refuse(data: object) -> dict[str, str]:
    """The fields at fault, each with its sentence."""
    with pytest.raises(InvalidSubmissionError) as refusal:
        parse_submission(data, types=TYPES, calendar=EXAMPLE)
    return {error.field: error.message for error in refusal.value.errors}


def test_a_title_and_a_type_are_enough() -> None:
    assert parse() == Submission("Quarter", "sales", {}, "anonymous", formats=FORMATS)


def test_the_requester_is_kept() -> None:
    submission = parse_submission(
        {"title": "T", "type": "users"}, types=TYPES, calendar=EXAMPLE, requester="ada"
    )

    assert submission.requester == "ada"


def test_white_space_around_a_title_is_cut() -> None:
    assert parse(title="  Quarter 3 \t\n").title == "Quarter 3"


@pytest.mark.parametrize(
    "title",
    [
        "x",
        "x" * LONGEST_TITLE,
        "👩‍👩‍👧‍👦 Familien-Bericht",
        "تقرير المبيعات",
        "गुणवत्ता",
        "季度报告",
        "e\u0301",
        "<script>alert(1)</script>",
        "'; DROP TABLE reports; --",
        "{{ 7 * 7 }}",
        "😀" * LONGEST_TITLE,
    ],
)
def test_a_title_may_be_in_any_script(title: str) -> None:
    assert parse(title=title).title == title


@pytest.mark.parametrize("title", ["", " ", "\t\n", "\u3000", "x" * (LONGEST_TITLE + 1), "x" * 1_000_000])
def test_a_title_has_1_to_200_characters(title: str) -> None:
    assert refuse({"title": title, "type": "sales"}) == {"title": "The title must have 1 to 200 characters."}


def test_spaces_around_a_title_do_not_count() -> None:
    assert len(parse(title=f" {'x' * LONGEST_TITLE} ").title) == LONGEST_TITLE


@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"]
)
def test_a_title_has_no_control_characters_line_breaks_or_half_characters(character: str) -> None:
    assert refuse({"title": f"a{character}b", "type": "sales"}) == {
        "title": "The title must not contain control characters or line breaks."
    }


@pytest.mark.parametrize("value", [7, 7.5, True, None, [], ["Quarter"], {}, {"title": "Quarter"}, b"Quarter"])
def test_values_are_never_converted(value: object) -> None:
    errors = refuse({"title": value, "type": value})

    assert list(errors) == ["title", "type"]
    assert errors["title"] == "The title is required and must be text."


def test_title_and_type_are_required() -> None:
    assert list(refuse({})) == ["title", "type"]


@pytest.mark.parametrize("name", ["", "Sales", " sales", "inventory2", "__class__", "sales\n"])
def test_an_unknown_type_is_refused_with_those_that_are(name: str) -> None:
    assert refuse({"title": "Quarter", "type": name}) == {
        "type": "The type must be one of the report types: sales, inventory, users."
    }


@pytest.mark.parametrize("data", [None, 7, "title", [], ["title", "type"], True, b"{}"])
def test_a_body_that_is_no_object_is_refused(data: object) -> None:
    assert refuse(data) == {"": "The body must be an object with title and type."}


def test_unknown_fields_are_refused_by_name() -> None:
    errors = refuse({"title": "Quarter", "type": "sales", "titel": "x", "status": "completed"})

    known = "title, type, parameters, formats, max_age, callback_url"
    assert errors == {
        name: f"{name!r} is not a field of a report; {known} are." for name in ("titel", "status")
    }


def test_parameters_are_an_object_that_may_be_empty() -> None:
    assert parse(parameters={}).parameters == {}


@pytest.mark.parametrize("parameters", [None, 7, "x", [], [["a", 1]], True])
def test_other_parameters_are_refused(parameters: object) -> None:
    assert refuse({"title": "Quarter", "type": "sales", "parameters": parameters}) == {
        "parameters": "The parameters must be an object."
    }


def test_a_parameter_that_the_type_has_not_is_refused_by_name() -> None:
    errors = refuse({"title": "Quarter", "type": "sales", "parameters": {"year": 2026}})

    assert errors == {"parameters.year": "'year' is not a parameter of this type."}


def test_errors_come_in_the_order_of_the_fields() -> None:
    errors = refuse({"other": 1, "parameters": {"a": 1}, "type": 7, "title": ""})

    assert list(errors) == ["title", "type", "other"]


def test_no_more_errors_are_told_than_a_reader_can_use() -> None:
    assert len(refuse({f"field {number}": None for number in range(10_000)})) == MOST_ERRORS


def test_a_refusal_says_it_all_in_its_text() -> None:
    with pytest.raises(InvalidSubmissionError, match=r"^The title is required .* one of the report types"):
        parse_submission({}, types=TYPES, calendar=EXAMPLE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
ALMOST = st.fixed_dictionaries(
    {}, optional={"title": JSON, "type": JSON | st.sampled_from(list(TYPES)), "parameters": JSON}
)


@given(JSON | ALMOST)
def test_any_json_is_a_submission_or_a_refusal(data: object) -> None:
    try:
        submission = parse_submission(data, types=TYPES, calendar=EXAMPLE)
    except InvalidSubmissionError as error:
        outcome: Submission | tuple[FieldError, ...] = error.errors
    else:
        outcome = submission
    assert isinstance(outcome, Submission) or 1 <= len(outcome) <= MOST_ERRORS


@given(st.text(min_size=1, max_size=300))
def test_any_title_is_kept_whole_or_refused(title: str) -> None:
    try:
        submission = parse(title=title)
    except InvalidSubmissionError:
        return
    assert submission.title == title.strip()
    assert not set(submission.title) & set("\n\r\0\u2028")
