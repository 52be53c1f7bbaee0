"""Objective: what the trainer asks of whatever an encoder is trained for.

An objective is a module: it may own networks (a projector, a predictor, a second encoder), which are trained or
moved, kept in checkpoints and left out of what is handed over. To add one, write a file like those beside this
one, and name it in `build.py` and in `ObjectiveName`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor, nn


class Views(NamedTuple):
    """A process's part of a batch, N pairs, as an objective sees it."""

    a: Tensor
    """Log-mel pictures of the first views, (N, 1, frames, bands)."""
    b: Tensor
    """Log-mel pictures of the second views, (N, 1, frames, bands)."""
    x: Tensor
    """The encoder's final layer for `a`, (N, D), not normalised."""
    y: Tensor
    """The encoder's final layer for `b`, (N, D), not normalised."""
    theta: Tensor
    """The parameters that both views were played with, (N, 2, P) in [0, 1]."""


class Objective(nn.Module):
    """Views -> scalars by name, of which `loss` is minimised and the others are told to whoever watches."""

    @abstractmethod
    def forward(self, views: Views) -> dict[str, Tensor]:
        """Scalars in float32: `loss`, and its terms by their names in the literature."""

    def after_step(self, encoder: nn.Module, done: float) -> None:
        """The optimiser has moved `encoder`, and the run is `done`, a share in (0, 1]. Most have nothing to do."""
