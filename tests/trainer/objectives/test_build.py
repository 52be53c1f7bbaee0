"""From a recipe to an objective with its networks."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
import torch
from tiny_training import TINY_RECIPE
from torch import Tensor, nn

from trainer.encoders.build import seeded_encoder
from trainer.objectives.build import seeded_objective
from trainer.objectives.nt_xent import nt_xent
from trainer.objectives.objective import Objective, Views
from trainer.objectives.projector import projector
from trainer.recipe import ObjectiveName, Recipe


def built(recipe: Recipe, seed: int = 0) -> Objective:
    return seeded_objective(recipe, seeded_encoder(recipe, 0), seed, parameters=3)


def views(recipe: Recipe) -> Views:
    a, b = (torch.randn(6, 1, 16, 64, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    encoder = seeded_encoder(recipe, 0)
    return Views(a, b, encoder(a), encoder(b), torch.zeros(6, 2, 3))


@pytest.mark.parametrize("name", get_args(ObjectiveName))
@pytest.mark.parametrize("sizes", [(), (12,), (12, 8)])
@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_every_objective_has_a_loss_that_trains_the_encoder(
    name: ObjectiveName, sizes: tuple[int, ...], weight: float
) -> None:
    recipe = dataclasses.replace(
        TINY_RECIPE, objective=name, projector=sizes, theta_weight=weight, encoder="byola-small"
    )
    seen = views(recipe)
    seen.x.retain_grad()
    terms = built(recipe)(seen)
    assert all(value.shape == () and bool(value.isfinite()) for value in terms.values())
    assert ("theta_error" in terms) == (weight > 0)
    terms["loss"].backward()
    assert seen.x.grad is not None
    assert bool(seen.x.grad.any())


@pytest.mark.parametrize("name", get_args(ObjectiveName))
def test_a_seed_gives_the_same_networks_and_leaves_the_global_generator_alone(name: ObjectiveName) -> None:
    recipe = dataclasses.replace(TINY_RECIPE, objective=name, projector=(12, 8), theta_weight=1.0)
    before = torch.random.get_rng_state()
    one, same, other = (built(recipe, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_temperature_is_the_recipe_s() -> None:
    recipe = dataclasses.replace(TINY_RECIPE, objective="nt-xent", temperature=0.7)
    seen = views(recipe)
    assert torch.equal(built(recipe)(seen)["loss"], nt_xent(seen.x, seen.y, temperature=0.7).loss)


def test_a_projector_is_layers_of_its_sizes_with_something_between_them() -> None:
    layers = projector(5, (7, 6, 3))
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [7, 6, 3]
    assert isinstance(layers[-1], nn.Linear)
    assert layers(torch.randn(4, 5, generator=torch.Generator().manual_seed(0))).shape == (4, 3)


def test_a_standardised_projector_says_nothing_that_all_have_in_common() -> None:
    said = projector(5, (7, 3), standardised=True)(torch.randn(64, 5, generator=torch.Generator().manual_seed(0)) + 9)
    assert torch.allclose(said.mean(dim=0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(said.std(dim=0, correction=0), torch.ones(3), atol=1e-2)


def test_no_projector_is_nothing() -> None:
    x: Tensor = torch.ones(2, 5)
    assert projector(5, ())(x) is x
    assert projector(5, (), standardised=True)(x) is x
