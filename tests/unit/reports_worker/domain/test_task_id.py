"""Ids are UUIDs of version 7 and sort by the time of their making."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports_worker import is_task_id
from reports_worker.domain.task_id import new_task_id, read_time

GOOD = "0198f3c2-7a1b-7c4d-9e2f-0123456789ab"


def test_an_id_is_a_uuid_of_version_7_and_its_variant() -> None:
    parsed = uuid.UUID(new_task_id())

    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122


def test_the_first_48_bits_are_milliseconds_since_1970() -> None:
    before = time.time_ns() // 1_000_000
    parsed = uuid.UUID(new_task_id())
    after = time.time_ns() // 1_000_000

    assert before <= parsed.int >> 80 <= after


def test_an_id_is_written_in_lower_case_with_dashes() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", new_task_id())


def test_a_hundred_thousand_ids_differ() -> None:
    assert len({new_task_id() for _ in range(100_000)}) == 100_000


def test_later_ids_sort_after_earlier_ones() -> None:
    ids = []
    for _ in range(100):
        ids.append(new_task_id())
        made_at = time.time_ns()
        while time.time_ns() - made_at < 1000:
            pass

    assert ids == sorted(ids)


def test_every_id_made_is_one() -> None:
    assert all(is_task_id(new_task_id()) for _ in range(1000))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        GOOD.upper(),
        GOOD + "\n",
        " " + GOOD,
        GOOD + ":execution",
        GOOD.replace("-", ""),
        "{" + GOOD + "}",
        "urn:uuid:" + GOOD,
        GOOD.replace("-7c4d-", "-4c4d-"),
        GOOD.replace("-9e2f-", "-ce2f-"),
        GOOD.replace("0", "\N{ARABIC-INDIC DIGIT ZERO}"),
        GOOD.replace("0", "g"),
        "../" + GOOD,
        "*",
        "\x00",
        "\ud800",
    ],
)
def test_anything_else_is_no_task_id(text: str) -> None:
    assert is_task_id(GOOD)
    assert not is_task_id(text)


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    assert is_task_id(text) in (True, False)


def test_the_time_of_its_making_is_read_from_an_id() -> None:
    assert abs(datetime.now(UTC) - read_time(new_task_id())) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["", "f" * 36, "x" * 36])
def test_no_time_is_read_from_what_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_time(text)
