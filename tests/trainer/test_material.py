"""What is learned from, as a user says it, and what cannot be meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pairstream.cursor import Share
from pairstream.errors import ConfigError, SpecError
from trainer.augmentation import SETS, Augmentation
from trainer.choices import choice_of
from trainer.config import FitSettings, MaterialChoice
from trainer.material import Material
from trainer.plan import Plan, new_plan, resumed_plan
from trainer.sources.build import build_source

RUN = Path("run")
AugmentationChoice = choice_of(Augmentation, "AugmentationChoice", "Augmentations.")


def plan(**said: Any) -> Plan:
    return new_plan(FitSettings(run=RUN, **said))


def test_unless_said_it_is_the_stream_alone() -> None:
    assert (plan().data, str(plan().data), plan().data.share) == (Material(), "the stream", 0.0)


def test_naming_recordings_is_learning_from_them_alone_unless_a_share_is_said() -> None:
    assert plan(data=MaterialChoice(recordings="a")).data.share == 1.0
    assert str(plan(data=MaterialChoice(recordings=("a", "b"))).data) == "recordings in a, b"
    mixed = plan(data=MaterialChoice(recordings="a", real=0.25)).data
    assert str(mixed) == "the stream and recordings in a (25% of the pairs)"


def test_a_pool_and_deltas_are_told_in_words() -> None:
    data = plan(data=MaterialChoice(pool=100, deltas={1_000: 0.25, 0: 0.05})).data
    assert str(data) == "100 blocks of the stream, again and again, delta 0.05 from step 0, 0.25 from step 1,000"


@pytest.mark.parametrize(
    "said",
    [
        {"data": MaterialChoice(recordings="a", where="split=train", real=0.5, jitter=False)},
        {"data": MaterialChoice(pool=3, deltas={0: 0.1, 5: 0.2})},
        {"data": MaterialChoice(recordings=("a", "b"), augment_in="loader"), "augment": "paper"},
        {"augment": "strong", "augmentation": AugmentationChoice(gain_db=(-3.0, 3.0))},
    ],
)
def test_a_plan_survives_being_written_down_as_json(said: dict[str, Any]) -> None:
    made = plan(**said)
    assert Plan.from_dict(json.loads(json.dumps(made.as_dict()))) == made
    assert Plan.from_dict(made.as_dict()).diff(made) == ""


def test_a_set_is_a_starting_point_for_the_ranges() -> None:
    assert plan().recipe.augmentation == Augmentation()
    assert plan(augment="paper").recipe.augmentation == SETS["paper"]
    changed = plan(augment="paper", augmentation=AugmentationChoice(pitch_p=0.0, high_pass_hz=[50, 60]))
    assert (changed.recipe.augmentation.pitch_p, changed.recipe.augmentation.high_pass_hz) == (0.0, (50.0, 60.0))
    assert changed.recipe.augmentation.low_pass_p == 0.5


def test_the_papers_set_is_the_papers() -> None:
    paper = SETS["paper"]
    assert {paper.high_pass_p, paper.low_pass_p, paper.pitch_p, paper.shift_p, paper.reverb_p} == {0.5}
    assert (paper.high_pass_hz, paper.low_pass_hz) == ((20.0, 800.0), (1_200.0, 8_000.0))
    assert (paper.pitch_semitones, paper.shift_fraction) == ((-2.0, 2.0), (-0.25, 0.25))
    assert {paper.noise_p, paper.gain_p, paper.polarity_p, paper.masks_p} == {0.0}


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ({"real": 0.5}, "data.real=0.5 with 0 folders"),
        ({"recordings": "a", "real": 0.0}, r"data.real=0.0 with 1 folders"),
        ({"recordings": "a", "real": 1.5}, "data.real=1.5 is no share"),
        ({"recordings": ("a", "b", "c"), "where": ("x=1", "y=2")}, "2 conditions for 3 folders"),
        ({"pool": 0}, "data.pool=0"),
        ({"recordings": "a", "pool": 3}, "data.real=1 does not use"),
        ({"deltas": {-1: 0.1}}, "a step below 0"),
        ({"deltas": {"soon": 0.1}}, "is no {step: delta}"),
        ({"augment_in": "cloud"}, "augment_in='cloud' is unknown"),
        ({"augment_in": "loader"}, "for recordings alone"),
        ({"where": "split=train"}, "name them with --data.recordings"),
        ({"jitter": False}, "name them with --data.recordings"),
    ],
)
def test_what_cannot_be_meant_is_quoted(said: dict[str, Any], quoted: str) -> None:
    with pytest.raises(ConfigError, match=quoted):
        plan(data=MaterialChoice(**said))


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ({"pitch_p": 1.5}, "augmentation.pitch_p=1.5 is no probability"),
        ({"high_pass_hz": (800.0, 20.0)}, "ends below where it begins"),
        ({"high_pass_hz": (20.0,)}, "is no range"),
        ({"gain_db": (float("nan"), 1.0)}, "is no range"),
        ({"low_pass_hz": (0.0, 10.0)}, "must be above 0"),
        ({"time_masks": -1}, "augmentation.time_masks=-1 is negative"),
        ({"masks_p": 0.5}, "augmentation.masks_p=0.5 of no masks"),
    ],
)
def test_an_augmentation_that_cannot_be_meant_is_quoted(said: dict[str, Any], quoted: str) -> None:
    with pytest.raises(ConfigError, match=quoted):
        plan(augmentation=AugmentationChoice(**said))


def test_theta_of_recordings_is_known_to_nobody() -> None:
    with pytest.raises(ConfigError, match=r"theta_weight=0\.5 with recordings"):
        plan(data=MaterialChoice(recordings="a", real=0.5), theta_weight=0.5)


def test_only_a_stream_alone_can_be_followed_live() -> None:
    with pytest.raises(ConfigError, match="follow=live from start=0 is for a stream alone"):
        plan(data=MaterialChoice(pool=3), follow="live")


def test_a_delta_that_is_none_is_refused_as_the_specs_would_be() -> None:
    settings = FitSettings(run=RUN, data=MaterialChoice(deltas={3: 11.0}))
    with pytest.raises(SpecError, match=r"delta=11\.0 is out of range"):
        build_source(new_plan(settings), settings, None, Share())


def test_a_run_resumes_with_its_recordings_at_another_place() -> None:
    stored = plan(data=MaterialChoice(recordings="a", where="split=train"))
    resumed = resumed_plan(FitSettings(run=RUN, resume=True, data=MaterialChoice(recordings="b")), stored)
    assert (resumed.data.recordings, resumed.data.where) == (("b",), ("split=train",))
    with pytest.raises(ConfigError, match=r"data\.real: 0\.5 != None"):
        resumed_plan(FitSettings(run=RUN, resume=True, data=MaterialChoice(real=0.5)), stored)


def test_a_run_on_a_stream_does_not_resume_on_recordings() -> None:
    with pytest.raises(ConfigError, match=r"data\.recordings: \['b'\] != \[\]"):
        resumed_plan(FitSettings(run=RUN, resume=True, data=MaterialChoice(recordings="b")), plan())
