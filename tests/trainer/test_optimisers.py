"""The paper's learning rates and milestones."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import Parameter

from trainer.optimisers import build_optimiser, factor_at, learning_rate
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
    assert factor_at(PAPER, epoch * 117) == pytest.approx(factor)


def test_without_milestones_it_stays() -> None:
    flat = dataclasses.replace(PAPER, milestones=())
    assert {factor_at(flat, step) for step in range(0, 23_401, 100)} == {1.0}


def test_sgd_has_no_momentum_and_the_papers_weight_decay() -> None:
    optimiser, schedule = build_optimiser(PAPER, [Parameter(torch.ones(1))], 768)
    assert isinstance(optimiser, torch.optim.SGD)
    group = optimiser.param_groups[0]
    assert (group["momentum"], group["weight_decay"], group["lr"]) == (0, 1e-6, pytest.approx(0.36))
    assert schedule.get_last_lr() == [pytest.approx(0.36)]


@pytest.mark.parametrize(("step", "factor"), [(0, 1 / 6), (4, 5 / 6), (5, 1.0), (6, 1.0), (50, 1.0), (99, 1.0)])
def test_the_rate_rises_over_the_warm_up(step: int, factor: float) -> None:
    warm = dataclasses.replace(ADAM, max_steps=100, warmup=0.05, milestones=())
    assert factor_at(warm, step) == pytest.approx(factor)


@pytest.mark.parametrize(("step", "factor"), [(20, 1.0), (60, 0.5), (100, 0.0), (40, 0.5 + 0.5**1.5)])
def test_the_rate_falls_along_half_a_cosine(step: int, factor: float) -> None:
    cosine = dataclasses.replace(ADAM, max_steps=100, schedule="cosine", warmup=0.2)
    assert factor_at(cosine, step) == pytest.approx(factor)


@pytest.mark.parametrize("warmup", [0.95, 0.999])
def test_a_warm_up_of_all_steps_leaves_nothing_to_fall(warmup: float) -> None:
    cosine = dataclasses.replace(ADAM, max_steps=6, schedule="cosine", warmup=warmup)
    assert [factor_at(cosine, step) for step in range(7)] == pytest.approx([*(k / 7 for k in range(1, 7)), 1.0])


def test_momentum_is_the_recipe_s() -> None:
    parent = dataclasses.replace(PAPER, momentum=0.9)
    optimiser, _ = build_optimiser(parent, [Parameter(torch.ones(1))], 768)
    assert optimiser.param_groups[0]["momentum"] == 0.9


def test_only_what_is_trained_is_given_to_it() -> None:
    frozen = Parameter(torch.ones(1), requires_grad=False)
    trained = Parameter(torch.ones(1))
    optimiser, _ = build_optimiser(ADAM, [frozen, trained], 768)
    assert optimiser.param_groups[0]["params"] == [trained]


def test_adamw_takes_the_penalty_from_the_weight_itself() -> None:
    recipe = dataclasses.replace(ADAM, optimiser="adamw", weight_decay=0.5, lr=0.1, milestones=())
    weight = Parameter(torch.tensor([2.0]))
    optimiser, _ = build_optimiser(recipe, [weight], 768)
    weight.grad = torch.tensor([0.0])
    optimiser.step()
    assert float(weight.detach()) == pytest.approx(2.0 * (1 - 0.1 * 0.5))


def test_adam_is_adam() -> None:
    optimiser, _ = build_optimiser(ADAM, [Parameter(torch.ones(1))], 768)
    assert isinstance(optimiser, torch.optim.Adam)
    assert optimiser.param_groups[0]["weight_decay"] == 1e-4
