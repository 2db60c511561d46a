"""The context of a report type."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from reports_worker import Assignment, ReportContext

ZONE = ZoneInfo("Europe/Berlin")
CONTEXT = ReportContext("1", "Quarter", {}, lambda *_: None, ZONE)


def test_a_type_of_the_version_before_still_finds_its_time_zone() -> None:
    with pytest.deprecated_call(match=r"use context\.timezone"):
        settings = CONTEXT.settings

    assert settings.data.timezone is ZONE


def test_nothing_that_a_type_is_given_holds_the_settings() -> None:
    with pytest.deprecated_call():
        settings = CONTEXT.settings

    assert [*vars(settings)] == ["data"]
    assert [*vars(settings.data)] == ["timezone"]


def test_the_name_of_the_version_before_is_the_same_class() -> None:
    assert Assignment is ReportContext
