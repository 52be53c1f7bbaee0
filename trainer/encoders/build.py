"""From a recipe to its untrained encoder: the only place that knows the encoders' names."""

from __future__ import annotations

import torch

from trainer.encoders.encoder import Encoder
from trainer.encoders.resnet import ResNet18
from trainer.recipe import Recipe


def seeded_encoder(recipe: Recipe, seed: int) -> Encoder:
    """The untrained encoder of this seed, the same on every machine; the global generator is not touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ResNet18(recipe.width or 64).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
