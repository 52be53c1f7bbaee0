"""The paper's learning rates and milestones."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import Parameter

from trainer.optimisers import build_optimiser, decay_at, learning_rate
from trainer.presets import PRESETS
from trainer.recipe import Recipe

PAPER = PRESETS["paper"].recipe
ADAM = Recipe(max_steps=10, optimiser="adam", lr=1e-3, weight_decay=1e-4)


@pytest.mark.parametrize(
    ("recipe", "step_pairs", "rate"),
    [
        pytest.param(PAPER, 768, 0.36, id="the paper, one GPU"),
        pytest.param(PAPER, 2 * 768, 0.72, id="the paper, two GPUs"),
        pytest.param(PAPER, 128, 0.06, id="half of 256 is half of the rate, not none"),
        pytest.param(PAPER, 300, 0.140625, id="no rounding in between"),
        pytest.param(ADAM, 768, 1e-3, id="adam is not scaled"),
    ],
)
def test_learning_rates(recipe: Recipe, step_pairs: int, rate: float) -> None:
    assert learning_rate(recipe, step_pairs) == pytest.approx(rate)


@pytest.mark.parametrize(("epoch", "factor"), [(0, 1), (154, 1), (155, 0.1), (170, 0.01), (185, 0.001), (200, 0.001)])
def test_the_rate_falls_at_the_papers_epochs(epoch: int, factor: float) -> None:
    assert decay_at(PAPER, epoch * 117) == pytest.approx(factor)


def test_without_milestones_it_stays() -> None:
    flat = dataclasses.replace(PAPER, milestones=())
    assert {decay_at(flat, step) for step in range(0, 23_401, 100)} == {1.0}


def test_sgd_has_no_momentum_and_the_papers_weight_decay() -> None:
    optimiser, schedule = build_optimiser(PAPER, [Parameter(torch.ones(1))], 768)
    assert isinstance(optimiser, torch.optim.SGD)
    group = optimiser.param_groups[0]
    assert (group["momentum"], group["weight_decay"], group["lr"]) == (0, 1e-6, pytest.approx(0.36))
    assert schedule.get_last_lr() == [pytest.approx(0.36)]


def test_adam_is_adam() -> None:
    optimiser, _ = build_optimiser(ADAM, [Parameter(torch.ones(1))], 768)
    assert isinstance(optimiser, torch.optim.Adam)
    assert optimiser.param_groups[0]["weight_decay"] == 1e-4
