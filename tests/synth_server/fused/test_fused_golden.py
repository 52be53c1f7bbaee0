"""The sounds of the fused engine are those of yesterday, on every machine."""

from __future__ import annotations

import json

import pytest

from synth_server.engines.fused.engine import LAW
from synth_server.patches import PATCHES
from tests import golden

KEPT = json.loads(golden.PATH.read_text())


@pytest.mark.parametrize("synth", PATCHES)
def test_the_sounds_have_the_golden_digests(synth: str) -> None:
    assert golden.measure(synth) == KEPT["digests"][synth], 'if it must be: python -m tests.golden --why "…"'


def test_the_golden_digests_say_why_and_are_of_this_law() -> None:
    assert all(reason["why"].strip() for reason in KEPT["reasons"])
    assert KEPT["reasons"][-1]["law"] == LAW


def test_sounds_of_one_patch_differ_from_one_another() -> None:
    for formats in KEPT["digests"].values():
        every = [digest for digests in formats.values() for digest in digests]
        assert len(set(every)) > 0.9 * len(every)
