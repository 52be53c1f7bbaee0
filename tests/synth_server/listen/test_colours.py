"""Colours that everybody can read: contrast of what is written, and pictures whose lightness goes one way."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from synth_server.listen.app import STATIC

STYLE = (STATIC / "style.css").read_text()
TOKENS = {name: values for name, *values in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)}
MAPS = {
    name: re.findall(r"#\w{6}", line)
    for name, line in re.findall(r"^  (dark|light): \[(.*)\],$", (STATIC / "colours.js").read_text(), re.MULTILINE)
}


def luminance(colour: str) -> float:
    """WCAG's relative luminance, 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card", "sunken"])
@pytest.mark.parametrize("text", ["ink", "soft", "accent", "a", "b", "bad"])
def test_text_is_readable_on_every_ground(text: str, ground: str, mode: int):
    assert contrast(TOKENS[text][mode], TOKENS[ground][mode]) >= 4.5


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_controls_stand_out(mode: int):
    assert contrast(TOKENS["on-accent"][mode], TOKENS["accent"][mode]) >= 4.5
    for mark in ("edge", "a-fill", "b-fill"):
        assert contrast(TOKENS[mark][mode], TOKENS["card"][mode]) >= 2.5
    assert contrast(TOKENS["edge"][mode], TOKENS["card"][mode]) >= 3


@pytest.mark.parametrize(("name", "rising"), [("dark", True), ("light", False)])
def test_louder_is_lighter_by_night_and_darker_by_day_in_even_steps(name: str, rising: bool):
    lightness = [116 * luminance(colour) ** (1 / 3) - 16 for colour in MAPS[name]]
    steps = [after - before for before, after in pairwise(lightness)]
    assert len(MAPS[name]) == 9
    assert all(step > 0 if rising else step < 0 for step in steps)
    assert abs(lightness[-1] - lightness[0]) > 75
    assert max(map(abs, steps)) < 2.1 * min(map(abs, steps))
