"""Encoder: what the trainer asks of a network that hears."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class Encoder(nn.Module):
    """Log-mel pictures (B, 1, frames, bands) of any number of frames -> vectors.

    Attributes:
        feature_size: F, the numbers of a sound in the pooled layer.
        embedding_size: D, the numbers of a sound in the final layer; F where nothing follows the pooled layer.
    """

    feature_size: int
    embedding_size: int

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """The pooled layer, which probes read: (B, 1, frames, bands) -> (B, F)."""

    def embed(self, features: Tensor) -> Tensor:
        """From the pooled layer to the final one: (B, F) -> (B, D)."""
        return features

    def forward(self, x: Tensor) -> Tensor:
        """The final layer, which the objective or its projector sees: (B, 1, frames, bands) -> (B, D)."""
        return self.embed(self.features(x))
