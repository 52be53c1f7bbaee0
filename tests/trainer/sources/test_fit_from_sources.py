"""fit from every source: killed and resumed equals uninterrupted, bit for bit, and what it says of itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from clips_folder import write_clip, write_folder
from tiny_training import but, same, weights

from pairstream.errors import ConfigError, DataError
from trainer.augmentation import Augmentation
from trainer.choices import choice_of
from trainer.config import FitSettings, MaterialChoice
from trainer.fit import fit
from trainer.run_folder import RunFolder

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")

AugmentationChoice = choice_of(Augmentation, "AugmentationChoice", "Augmentations.")

#: What is learned from, and how; FOLDER stands for a folder of recordings.
SOURCES: dict[str, dict[str, Any]] = {
    "recordings": {"recordings": "FOLDER", "where": "split=train"},
    "mixture": {"recordings": "FOLDER", "real": 0.5},
    "pool": {"pool": 2},
    "deltas": {"deltas": {0: 0.05, 3: 0.4}},
    "a pool in a mixture whose delta changes": {"recordings": "FOLDER", "real": 0.25, "pool": 3, "deltas": {4: 0.4}},
}


def data_of(source: dict[str, Any], folder: Path) -> Any:
    return MaterialChoice(**{name: str(folder) if value == "FOLDER" else value for name, value in source.items()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("clips"))


def resumed_from(step: int, settings: FitSettings, place: Path) -> Path:
    """A copy of a finished run, as it was when it was killed after a step, resumed."""
    shutil.copytree(settings.run, place)
    for checkpoint in (place / "checkpoints").iterdir():
        if checkpoint != RunFolder(place).checkpoint(step):
            checkpoint.unlink()
    assert fit(but(settings, run=place, resume=True)).steps == 6
    return place


@pytest.mark.slow
@pytest.mark.parametrize("augment", ["none", "strong"])
@pytest.mark.parametrize("source", SOURCES)
def test_killed_and_resumed_is_bit_equal_to_uninterrupted(
    tiny: FitSettings, tmp_path: Path, folder: Path, source: str, augment: str
) -> None:
    settings = but(tiny, data=data_of(SOURCES[source], folder), augment=augment)
    fit(settings)
    assert same(weights(settings.run), weights(resumed_from(2, settings, tmp_path / "resumed")))


@pytest.mark.slow
def test_sources_and_augmentations_decide_the_weights(tiny: FitSettings, tmp_path: Path, folder: Path) -> None:
    runs = {"stream": tiny, **{name: but(tiny, data=data_of(SOURCES[name], folder)) for name in ("mixture", "deltas")}}
    runs |= {name: but(tiny, augment=name) for name in ("paper", "specaugment")}
    found = []
    for name, settings in runs.items():
        fit(but(settings, run=tmp_path / name, max_steps=2))
        found.append(weights(tmp_path / name))
    assert not any(same(one, other) for at, one in enumerate(found) for other in found[:at])


@pytest.mark.slow
def test_steps_of_several_batches_change_delta_with_the_step(tiny: FitSettings, tmp_path: Path) -> None:
    """Step 1 of two batches is the batches 2 and 3, so a change at step 1 leaves the first two as they are."""
    settings = but(tiny, accumulate=2, max_steps=1)
    fit(settings)
    fit(but(settings, run=tmp_path / "later", data=MaterialChoice(deltas={1: 0.9})))
    fit(but(settings, run=tmp_path / "at once", data=MaterialChoice(deltas={0: 0.9})))
    assert same(weights(settings.run), weights(tmp_path / "later"))
    assert not same(weights(settings.run), weights(tmp_path / "at once"))


def test_the_run_says_what_was_learned_from(tiny: FitSettings, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = but(tiny, data=data_of(SOURCES["mixture"], folder), held_out=8)
    summary = fit(settings)
    assert summary.learned_from == f"the stream and recordings in {folder} (50% of the pairs)"
    assert f"learning from {summary.learned_from}" in capfd.readouterr().err.replace("\n", "")
    stored = json.loads((settings.run / "config.json").read_text())
    assert stored["plan"]["data"]["recordings"] == [str(folder)]
    assert "recordings" in (settings.run / "README.md").read_text()


def test_held_out_pairs_of_recordings_alone_are_of_different_clips(tiny: FitSettings, folder: Path) -> None:
    summary = fit(but(tiny, data=data_of(SOURCES["recordings"], folder), held_out=8))
    assert (summary.held_out, summary.chance) == (4, 0.25)
    assert summary.held_out_of == "other crops of the clips that it learned from"


@pytest.mark.slow
def test_resuming_on_other_recordings_is_refused_unless_told(tiny: FitSettings, tmp_path: Path, folder: Path) -> None:
    mine = write_folder(tmp_path / "mine")
    settings = but(tiny, data=data_of(SOURCES["recordings"], mine))
    fit(settings)
    for step in (4, 6):
        RunFolder(settings.run).checkpoint(step).unlink()
    write_clip(mine / "audio/0.wav", 1.5, 17)
    with pytest.raises(DataError, match="not those that this run began with"):
        fit(but(settings, resume=True))
    elsewhere = but(tiny, data=MaterialChoice(recordings=str(folder)), resume=True)
    assert fit(elsewhere).steps == 6


@pytest.mark.slow
def test_resuming_in_other_rooms_is_refused(tiny: FitSettings, tmp_path: Path) -> None:
    write_clip(tmp_path / "rooms/1.wav", 0.2)
    rooms = AugmentationChoice(reverb_p=1.0, impulse_responses=str(tmp_path / "rooms"))
    settings = but(tiny, augmentation=rooms)
    fit(settings)
    RunFolder(settings.run).checkpoint(6).unlink()
    write_clip(tmp_path / "rooms/1.wav", 0.3)
    with pytest.raises(DataError, match=r"impulse responses in .*rooms are not those that this run began with"):
        fit(but(settings, resume=True))
    assert fit(but(settings, resume=True, any_arithmetic=True)).steps == 6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what audiomentations imports
def test_audiomentations_in_the_loader_resumes_to_the_bit(tiny: FitSettings, tmp_path: Path, folder: Path) -> None:
    data = MaterialChoice(recordings=str(folder), augment_in="loader")
    noise = {"augment": "strong", "augmentation": AugmentationChoice(reverb_p=0.0)}
    settings = but(tiny, data=data, **noise)
    fit(settings)
    assert same(weights(settings.run), weights(resumed_from(4, settings, tmp_path / "resumed")))


def test_several_loaders_are_for_recordings_alone(tiny: FitSettings) -> None:
    with pytest.raises(ConfigError, match="loader_workers=2: a stream is one sequence; use 0 or 1"):
        fit(but(tiny, loader_workers=2))
    assert not tiny.run.exists()


def test_a_folder_that_cannot_be_used_leaves_no_run_behind(tiny: FitSettings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere is no folder"):
        fit(but(tiny, data=MaterialChoice(recordings=str(tmp_path / "nowhere"))))
    assert not tiny.run.exists()
