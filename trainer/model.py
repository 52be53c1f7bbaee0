"""AudioModel: audio in, vectors out. What training leaves behind, and all that probes and exports need."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.encoders.build import seeded_encoder
from trainer.encoders.encoder import Encoder
from trainer.frontend import LogMel
from trainer.recipe import Recipe


class AudioModel(nn.Module):
    """A front end and an encoder. Its weights are the encoder's; the front end has none."""

    def __init__(self, frontend: LogMel, encoder: Encoder) -> None:
        super().__init__()
        self.frontend = frontend
        self.encoder = encoder

    @property
    def sample_rate(self) -> int:
        """Hertz of the audio that it hears."""
        return self.frontend.picture.sample_rate

    def pictures(self, audio: Tensor) -> Tensor:
        """Audio (B, T) -> log-mel pictures (B, 1, frames, bands), laid out as convolutions like them."""
        pictures: Tensor = self.frontend(audio)
        return pictures.contiguous(memory_format=torch.channels_last)

    def features(self, audio: Tensor) -> Tensor:
        """Audio (B, T) at `sample_rate` -> the pooled layer, (B, F)."""
        return self.encoder.features(self.pictures(audio))

    def forward(self, audio: Tensor) -> Tensor:
        """Audio (B, T) at `sample_rate` -> the final layer, (B, D), not normalised."""
        embedding: Tensor = self.encoder(self.pictures(audio))
        return embedding


def untrained_model(recipe: Recipe, seed: int) -> AudioModel:
    """The recipe's model before its first step, the same for a seed on every machine."""
    return AudioModel(LogMel(recipe.frontend), seeded_encoder(recipe, seed))
