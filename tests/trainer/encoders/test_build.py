"""From a recipe to an untrained encoder."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
import torch

from trainer.encoders.build import seeded_encoder
from trainer.presets import PRESETS
from trainer.recipe import EncoderName, Recipe

PAPER = PRESETS["paper"].recipe


def small(name: EncoderName) -> Recipe:
    return dataclasses.replace(PAPER, encoder=name, width=64 if name == "ast-tiny" else 8)


@pytest.mark.parametrize("name", get_args(EncoderName))
def test_a_seed_gives_the_same_encoder_and_leaves_the_global_generator_alone(name: EncoderName) -> None:
    before = torch.random.get_rng_state()
    one, same, other = (seeded_encoder(small(name), seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", get_args(EncoderName))
@pytest.mark.parametrize("frames", [16, 96, 192])
def test_pictures_of_any_length_become_vectors_of_the_sizes_it_names(name: EncoderName, frames: int) -> None:
    encoder = seeded_encoder(small(name), 0).eval()
    pictures = torch.randn(2, 1, frames, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features, final = encoder.features(pictures), encoder(pictures)
    assert features.shape == (2, encoder.feature_size)
    assert final.shape == (2, encoder.embedding_size)
    assert torch.equal(final, encoder.embed(features))
    assert not torch.equal(final[0], final[1])
