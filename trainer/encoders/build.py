"""From a recipe to its untrained encoder: the only place that knows the encoders' names."""

from __future__ import annotations

import torch

from trainer.encoders.ast import Transformer
from trainer.encoders.byola import byola, byola_small
from trainer.encoders.encoder import Encoder
from trainer.encoders.resnet import resnet18, resnet50
from trainer.recipe import Recipe


def seeded_encoder(recipe: Recipe, seed: int) -> Encoder:
    """The untrained encoder of this seed, the same on every machine; the global generator is not touched.

    Raises:
        ConfigError: the recipe's width or number of bands is none for this encoder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _encoder(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _encoder(recipe: Recipe) -> Encoder:
    bands, width = recipe.frontend.bands, recipe.width
    match recipe.encoder:
        case "resnet18":
            return resnet18(width or 64)
        case "resnet50":
            return resnet50(width or 64)
        case "byola":
            return byola(bands, width or 64)
        case "byola-small":
            return byola_small(bands, width or 16)
        case "ast-tiny":
            return Transformer(bands, width or 192)
