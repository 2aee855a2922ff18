"""The style sheet: every pair of colours that is read is told apart (WCAG 2.2, AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import comity.app.web

STATIC = Path(comity.app.web.__file__).parent / "static"
CSS = (STATIC / "style.css").read_text("utf-8")
REPORT = (STATIC / "report.css").read_text("utf-8")
ON = {
    "ground": ["ink", "soft", "link", "warm", "bad"],
    "sheet": ["ink", "soft", "link", "warm", "bad"],
    "accent": ["on-accent"],
    "still-bg": ["ink", "still", "soft"],
    "calm-bg": ["calm", "ink", "soft", "link"],
    **{f"heat-{step}": ["ink"] for step in "abcde"},
    **{f"{name}-bg": [name, "ink", "soft"] for name in ("bad", "warm", "good")},
}


def palette(scheme: str) -> dict[str, str]:
    roots = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colours: dict[str, str] = {}
    for root in roots[: 1 if scheme == "light" else 2]:
        colours |= dict(re.findall(r"--([-a-z]+): (#[0-9a-f]{3,6});", root))
    return colours


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(scheme: str) -> None:
    colours = palette(scheme)
    weak = {
        (ink, ground): round(contrast(colours[ink], colours[ground]), 2)
        for ground, inks in ON.items()
        for ink in inks
        if contrast(colours[ink], colours[ground]) < 4.5
    }
    assert weak == {}


def test_the_report_stands_out_on_paper() -> None:
    colours = dict(re.findall(r"--([-a-z]+): (#[0-9a-f]{3,6});", REPORT))
    assert min(contrast(colours[ink], "#ffffff") for ink in ("ink", "soft", "bad", "warm", "link")) >= 4.5
    assert contrast(colours["soft"], "#f4f6f8") >= 4.5
    assert "size: A4 portrait" in REPORT and "url(" not in REPORT and "@import" not in REPORT
    assert "color-scheme: light" in REPORT and "prefers-color-scheme" not in REPORT


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_steps_of_the_map_are_told_apart_by_lightness_alone(scheme: str) -> None:
    colours = palette(scheme)
    lights = [luminance(colours[f"keep-{step}"]) for step in "bcde"]
    assert lights in (sorted(lights), sorted(lights, reverse=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_and_the_edges_of_inputs_stand_out(scheme: str) -> None:
    colours = palette(scheme)
    for ground in ("ground", "sheet"):
        assert contrast(colours["focus"], colours[ground]) >= 3
        assert contrast(colours["soft"], colours[ground]) >= 3


def test_the_sheet_is_one_short_file_that_fetches_nothing() -> None:
    assert CSS.count("\n") < 400
    assert "url(" not in CSS and "@import" not in CSS
    assert CSS.count("{") == CSS.count("}")
