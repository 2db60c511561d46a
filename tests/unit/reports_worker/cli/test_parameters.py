"""Parameters on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from reports_worker.cli.parameters import describe_lines, join_parameters
from reports_worker.parameters import check_parameters
from tests.every_kind import CALENDAR, EVERY_KIND, QUARTER


def test_each_kind_can_be_given_as_text() -> None:
    texts = {
        "note": ["a=b"],
        "top": ["5"],
        "share": ["0.5"],
        "net": ["no"],
        "region": ["7"],
        "channels": ["web", "shop"],
        "since": ["2026-01-02"],
        "period": ["2026-04-01..2026-06-30"],
    }

    canonical, errors = check_parameters(
        EVERY_KIND.parameters, join_parameters(EVERY_KIND, None, texts), calendar=CALENDAR
    )

    assert errors == []
    assert canonical == {
        "note": "a=b",
        "top": 5,
        "share": 0.5,
        "net": False,
        "region": 7,
        "channels": ["web", "shop"],
        "since": "2026-01-02",
        "period": QUARTER,
    }


@pytest.mark.parametrize(
    ("given", "texts", "joined"),
    [
        (None, {}, None),
        ({"top": 1, "net": True}, {"top": ["2"]}, {"top": 2, "net": True}),
        (None, {"colour": ["red", "blue"]}, {"colour": "blue"}),
        ([], {"top": ["2"]}, []),
    ],
)
def test_single_parameters_override_the_json_object(
    given: object, texts: Mapping[str, Sequence[str]], joined: object
) -> None:
    assert join_parameters(EVERY_KIND, given, texts) == joined


def test_a_type_is_described_with_each_parameter() -> None:
    lines = list(describe_lines(EVERY_KIND))

    assert lines[:2] == ["everything: Everything", "  A parameter of each kind."]
    assert "  -p top=...  Products (integer, else 10)" in lines
    assert "  -p share=...  Share (number, optional)" in lines
    assert "  -p period=...  Period (period, required). Whole days." in lines
