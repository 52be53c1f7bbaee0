"""The same by audiomentations: deterministic for (seed, number), and without a trace in the global generators."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips_folder import write_clip

from pairstream.errors import ConfigError
from trainer.augment.library import Audiomentations
from trainer.augmentation import SETS

AUDIO = np.random.default_rng(0).standard_normal((6, 2, 16_000)).astype(np.float32) * 0.1

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of what audiomentations imports
]


@pytest.fixture
def paper(tmp_path: Path) -> Audiomentations:
    write_clip(tmp_path / "room.wav", 0.2)
    return Audiomentations(replace(SETS["strong"], impulse_responses=str(tmp_path)), seed=0, rate=16_000)


def test_a_sound_is_changed_by_its_number_alone(paper: Audiomentations) -> None:
    whole = paper(AUDIO, 10)
    assert np.array_equal(paper(AUDIO, 10), whole)
    assert np.array_equal(paper(AUDIO[2:4], 12), whole[2:4])
    assert not np.array_equal(paper(AUDIO, 11), whole)
    assert (np.abs(whole - AUDIO).max(axis=2) > 1e-3).mean() > 0.8
    assert np.isfinite(whole).all()


def test_the_global_generators_are_left_as_they_were(paper: Audiomentations) -> None:
    random.seed(3)
    np.random.seed(3)
    expected = random.random(), np.random.random()
    random.seed(3)
    np.random.seed(3)
    paper(AUDIO, 0)
    assert (random.random(), np.random.random()) == expected


def test_rooms_are_those_of_the_manifest_in_its_order(tmp_path: Path) -> None:
    for name in ("b", "a", "not"):
        write_clip(tmp_path / name / "room.wav", 0.2)
    (tmp_path / "manifest.csv").write_text("file\nb/room.wav\na/room.wav\n")
    rooms = replace(SETS["none"], reverb_p=1.0, impulse_responses=str(tmp_path))
    (transform,) = Audiomentations(rooms, seed=0, rate=16_000)._compose.transforms
    assert [Path(file).parent.name for file in transform.ir_files] == ["b", "a"]


def test_rooms_need_a_folder() -> None:
    with pytest.raises(ConfigError, match="audiomentations has no artificial rooms"):
        Audiomentations(SETS["paper"], seed=0, rate=16_000)
