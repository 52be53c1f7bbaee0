"""Longer sounds and sounds of several layers, from the spec to the trained encoder."""

from __future__ import annotations

import pytest
import torch
from tiny_training import TINY, but

from trainer.checkpoints import load_model
from trainer.config import FitSettings, SpecChoice
from trainer.fit import fit

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


@pytest.mark.parametrize(("seconds", "frames"), [(2.0, 192), pytest.param(4.0, 384, marks=pytest.mark.slow)])
def test_longer_sounds_are_longer_pictures(tiny: FitSettings, seconds: float, frames: int) -> None:
    settings = but(tiny, spec=SpecChoice(block_pairs=4, seconds=seconds), max_steps=2, held_out=4)
    assert fit(settings).finished
    model, plan = load_model(settings.run)
    assert plan.spec.samples == 16_000 * seconds
    assert model.pictures(torch.zeros(1, plan.spec.samples)).shape == (1, 1, frames, 64)


@pytest.mark.slow
def test_the_parameters_of_all_layers_are_regressed(tmp_path: object) -> None:
    settings = FitSettings(
        run=tmp_path / "run",  # type: ignore[operator]
        spec=SpecChoice(block_pairs=4, layers=3),
        accelerator="cpu",
        theta_weight=0.5,
        **(TINY | {"max_steps": 2}),
    )
    assert fit(settings).finished
