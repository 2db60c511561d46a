"""The colours of the pages are readable, in the light and the dark scheme."""

from __future__ import annotations

import re

import pytest

from reports_app.blueprint import find_folder

STYLESHEET = (find_folder("static") / "css" / "reports.css").read_text(encoding="utf-8")

# Each text with every ground that the rules put it on.
TEXT_ON_GROUND = [
    *((text, ground) for text in ("text", "quiet", "accent") for ground in ("ground", "surface")),
    ("accent-text", "accent"),
    ("text", "pending-ground"),
    ("pending", "pending-ground"),
    ("running", "running-ground"),
    ("completed", "completed-ground"),
    ("failed", "failed-ground"),
    ("failed", "surface"),
]
# What is not text but must be seen: bars, edges of fields, the ring of the focus.
MARK_ON_GROUND = [
    ("running", "running-ground"),
    ("quiet", "surface"),
    ("quiet", "ground"),
    ("accent", "ground"),
    *((tone, "surface") for tone in ("pending", "running", "completed", "failed")),
]


def read_palette(scheme: str) -> dict[str, str]:
    """Read the custom properties of a scheme; dark ones come on top of the light ones."""
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", STYLESHEET, re.DOTALL)
    text = light if scheme == "light" else light + dark
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text))


def luminance(colour: str) -> float:
    """Compute the relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_has_enough_contrast(scheme: str, text: str, ground: str) -> None:
    palette = read_palette(scheme)

    assert contrast(palette[text], palette[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("mark", "ground"), MARK_ON_GROUND)
def test_marks_have_enough_contrast(scheme: str, mark: str, ground: str) -> None:
    palette = read_palette(scheme)

    assert contrast(palette[mark], palette[ground]) >= 3


def test_each_colour_has_its_counterpart_in_the_dark() -> None:
    dark = re.findall(r":root \{(.*?)\n\s*\}", STYLESHEET, re.DOTALL)[1]

    assert set(re.findall(r"--([a-z-]+):", dark)) == {*read_palette("light"), "shadow"}


def test_every_colour_is_one_of_the_palette() -> None:
    rules = STYLESHEET.split("* { box-sizing", 1)[1]

    assert re.findall(r"#[0-9a-f]{3,8}\b|rgb\(|hsl\(", rules) == []
    assert set(re.findall(r"var\(--([a-z-]+)\)", rules)) <= {
        *read_palette("dark"),
        "shadow",
        "tone",
        "tone-ground",
    }


def test_contrast_is_computed_as_the_guidelines_define() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
