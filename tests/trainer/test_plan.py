"""Presets and what a user says, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pairstream import StreamSpec
from pairstream.errors import CheckpointError, ConfigError, SpecError
from trainer.choices import choice_of
from trainer.config import FitSettings, SpecChoice
from trainer.picture import Picture
from trainer.plan import Plan, new_plan, resumed_plan
from trainer.presets import PRESETS, PresetName

RUN = Path("run")
PictureChoice = choice_of(Picture, "PictureChoice", "A picture.")


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_alone_is_its_own_recipe_and_spec(preset: PresetName) -> None:
    plan = new_plan(FitSettings(run=RUN, preset=preset))
    assert plan.recipe == PRESETS[preset].recipe
    assert plan.spec == StreamSpec(**PRESETS[preset].spec)


def test_the_paper_is_the_paper() -> None:
    plan = new_plan(FitSettings(run=RUN, preset="paper"))
    assert (plan.spec.delta, plan.spec.block_pairs, plan.spec.synth) == (0.25, 768, "voice")
    recipe = plan.recipe
    assert (recipe.optimiser, recipe.lr, recipe.weight_decay, recipe.width) == ("sgd", 0.12, 1e-6, 64)
    assert recipe.max_steps * plan.spec.block_pairs == 17_971_200


@pytest.mark.parametrize(
    ("said", "part", "name", "value"),
    [
        ({"max_steps": 5}, "recipe", "max_steps", 5),
        ({"optimiser": "sgd"}, "recipe", "optimiser", "sgd"),
        ({"lr": 0.5}, "recipe", "lr", 0.5),
        ({"spec": SpecChoice(delta=0.25)}, "spec", "delta", 0.25),
        ({"spec": SpecChoice(seed=9)}, "spec", "seed", 9),
        ({"spec": SpecChoice(delta={"pitch": 0.1, "rest": 0.2})}, "spec", "delta_of", None),
    ],
)
def test_what_is_said_wins_over_the_preset(said: dict[str, Any], part: str, name: str, value: object) -> None:
    plan = new_plan(FitSettings(run=RUN, preset="demo", **said))
    found = getattr(getattr(plan, part), name)
    assert found == value if name != "delta_of" else (found("pitch"), found("mix")) == (0.1, 0.2)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_plan_survives_being_written_down(preset: PresetName) -> None:
    plan = new_plan(FitSettings(run=RUN, preset=preset, seed=3, start=7))
    assert Plan.from_dict(plan.as_dict()) == plan


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(None, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param({}, id="no fields"),
        pytest.param(
            {"spec": {"synth": "voice", "colour": "red"}, "recipe": {}, "seed": 0, "start": 0}, id="a field more"
        ),
        pytest.param({"spec": {}, "recipe": {"max_steps": 0}, "seed": 0, "start": 0}, id="an incomplete recipe"),
    ],
)
def test_what_is_no_plan_is_refused(values: object) -> None:
    with pytest.raises(CheckpointError, match="no plan of a training run"):
        Plan.from_dict(values)


@pytest.mark.parametrize(
    ("part", "name", "said"),
    [
        (("recipe",), "objective", "its recipe says nothing of objective"),
        (("recipe", "frontend"), "levels", "its picture says nothing of levels"),
        (("recipe", "augmentation"), "high_pass_p", "its augmentation says nothing of high_pass_p"),
        (("data",), "pool", "its material says nothing of pool"),
    ],
)
def test_a_plan_of_another_version_is_refused_with_what_it_lacks(part: tuple[str, ...], name: str, said: str) -> None:
    plan = new_plan(FitSettings(run=RUN)).as_dict()
    values = plan
    for step in part:
        values = values[step]
    del values[name]
    with pytest.raises(CheckpointError, match=f"{said}; was it written by another version"):
        Plan.from_dict(plan)


def test_of_the_picture_what_is_not_said_is_the_preset_s() -> None:
    said = FitSettings(run=RUN, frontend=PictureChoice(bands=80))
    assert new_plan(said).recipe.frontend == Picture(bands=80)


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ({"max_steps": 0}, "max_steps=0"),
        ({"objective": "clairvoyance"}, "objective='clairvoyance' is unknown; use one of alignment-uniformity"),
        ({"encoder": "ear"}, "encoder='ear' is unknown; use one of resnet18"),
        ({"width": 0}, "width=0"),
        ({"frontend": PictureChoice(hop=0)}, "frontend.hop=0"),
        ({"frontend": PictureChoice(window=600)}, "frontend.window=600 does not fit in fft=512"),
        ({"frontend": PictureChoice(highest_hz=9_000.0)}, "8000 Hz"),
        ({"frontend": PictureChoice(offset=0.0)}, r"frontend.offset=0\.0"),
        ({"frontend": PictureChoice(levels="loud")}, "levels='loud'"),
        ({"frontend": PictureChoice(sample_rate=32_000)}, "spec.sample_rate=16000 does not fit .* 32000 Hz"),
        ({"lr": 0.0}, r"lr=0\.0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"weight_decay": -1.0}, r"weight_decay=-1\.0"),
        ({"optimiser": "lion"}, "optimiser='lion'"),
        ({"seed": -1}, "seed=-1"),
        ({"start": -1}, "start=-1"),
        ({"spec": SpecChoice(block_pairs=1)}, "block_pairs=1"),
        ({"threads": 0}, "threads=0"),
        ({"loader_workers": -1}, "loader_workers=-1"),
        ({"held_out": 1}, "held_out=1"),
        ({"timeout": 0.0}, r"timeout=0\.0"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_quoted(said: dict[str, Any], quoted: str) -> None:
    with pytest.raises(ConfigError, match=quoted):
        new_plan(FitSettings(run=RUN, **said))


def test_a_spec_that_cannot_be_is_refused() -> None:
    with pytest.raises(SpecError, match="delta"):
        new_plan(FitSettings(run=RUN, spec=SpecChoice(delta=-1.0)))


def test_another_encoder_than_the_preset_s_has_its_own_width() -> None:
    assert new_plan(FitSettings(run=RUN, preset="demo", encoder="ast-tiny")).recipe.width is None
    assert new_plan(FitSettings(run=RUN, preset="demo", encoder="ast-tiny", width=64)).recipe.width == 64
    assert new_plan(FitSettings(run=RUN, preset="demo", encoder="resnet18")).recipe.width == 16


def test_a_batch_is_of_as_many_pairs_as_in_the_beginning_whatever_the_processes() -> None:
    two = new_plan(FitSettings(run=RUN, preset="demo", devices=2))
    assert two.batch_pairs == 2 * two.spec.block_pairs
    for devices in (1, 2, 4):
        for preset in (None, "demo"):
            assert resumed_plan(FitSettings(run=RUN, resume=True, preset=preset, devices=devices), two) is two
    one = new_plan(FitSettings(run=RUN, preset="demo"))
    assert resumed_plan(FitSettings(run=RUN, resume=True, devices=2), one).batch_pairs == one.spec.block_pairs
    with pytest.raises(ConfigError, match=r"recipe\.batch_pairs: 128 != 256"):
        resumed_plan(FitSettings(run=RUN, resume=True, batch_pairs=128), two)


def test_resuming_needs_nothing_said() -> None:
    stored = new_plan(FitSettings(run=RUN, preset="demo", seed=4))
    assert resumed_plan(FitSettings(run=RUN, resume=True), stored) is stored
    assert resumed_plan(FitSettings(run=RUN, resume=True, preset="demo", seed=4), stored) is stored
