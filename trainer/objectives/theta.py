"""Regression of theta: a linear head reads the synthesizer's parameters off the embedding, beside another objective.

The labels are free: every block carries them. It is a supervised task with the stream's own truth.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pairstream.errors import ConfigError
from trainer.objectives.objective import Objective, Views


class WithTheta(Objective):
    """`objective`, and `weight` times the mean square error of the head.

    Args:
        objective: what is trained for beside it.
        inputs: D, the numbers of an embedding.
        parameters: P, the numbers of a theta.
        weight: of the error in the loss.
    """

    def __init__(self, objective: Objective, *, inputs: int, parameters: int, weight: float) -> None:
        super().__init__()
        if parameters < 1:
            raise ConfigError(f"theta_weight={weight:g}, but this stream carries no theta; use theta_weight 0")
        self.objective = objective
        self.head = nn.Linear(inputs, parameters)
        self._weight = weight

    def forward(self, views: Views) -> dict[str, Tensor]:
        """The objective's scalars, its loss with the error added; and the error itself, `theta_error`."""
        terms = self.objective(views)
        error = theta_error(self.head(torch.cat([views.x, views.y])), views.theta)
        return {**terms, "loss": terms["loss"] + self._weight * error, "theta_error": error.detach()}

    def after_step(self, encoder: nn.Module, done: float) -> None:
        """The objective's own business."""
        self.objective.after_step(encoder, done)


def theta_error(guessed: Tensor, theta: Tensor) -> Tensor:
    """Mean square of guesses (2N, P), first those of the views a, minus theta (N, 2, P). In float32."""
    with torch.autocast(guessed.device.type, enabled=False):
        return (guessed.float() - theta.transpose(0, 1).flatten(0, 1)).square().mean()
