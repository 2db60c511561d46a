"""Log lines stay one line each, whatever a user wrote."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_worker.lib.logfmt import logfmt


def test_fields_are_pairs_in_the_order_given() -> None:
    assert logfmt(event="task", percent=7, seconds=1.5) == "event=task percent=7 seconds=1.5"


def test_a_field_without_a_value_is_left_out() -> None:
    assert logfmt(event="task", stage=None) == "event=task"


@pytest.mark.parametrize("plain", ["a", "reports_worker", "/api/reports/7", "12:30", "50%", "a@b", "+1-2"])
def test_a_plain_word_stands_as_it_is(plain: str) -> None:
    assert logfmt(word=plain) == f"word={plain}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", '""'),
        ("adding up", '"adding up"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("a=b", '"a=b"'),
        ("back\\slash", '"back\\\\slash"'),
        ("line\nbreak\r", '"line\\nbreak\\r"'),
        ("\x1b[31mred", '"\\u001b[31mred"'),
        ("\u2028", '"\\u2028"'),
        ("é", '"\\u00e9"'),
        ("\ud800", '"\\ud800"'),
        ("plain\n", '"plain\\n"'),
    ],
)
def test_anything_else_is_quoted_and_escaped(text: str, written: str) -> None:
    assert logfmt(word=text) == f"word={written}"


def test_a_value_cannot_pretend_to_be_another_field_or_line() -> None:
    line = logfmt(stage="x status=completed\nevent=task stage=done", percent=1)

    assert line == 'stage="x status=completed\\nevent=task stage=done" percent=1'


@given(st.text())
def test_any_text_is_one_line_of_ascii_and_can_be_read_back(text: str) -> None:
    line = logfmt(word=text)

    assert line.isascii()
    assert line.isprintable()
    value = line.removeprefix("word=")
    assert (json.loads(value) if value.startswith('"') else value) == text
