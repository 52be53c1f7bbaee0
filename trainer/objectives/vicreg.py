"""VICReg: the views of a pair alike, every dimension alive, no two dimensions the same.

Bardes, Ponce & LeCun, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning", ICLR 2022,
as in its Algorithm 1: weights 25, 25 and 1, a target deviation of 1, and 1e-4 beside the variance.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import relu

from pairstream.errors import ConfigError

INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
TARGET = 1.0
BESIDE = 1e-4


class VICReg(NamedTuple):
    """The loss and its three terms, each without its weight; scalars in float32."""

    loss: Tensor
    invariance: Tensor
    variance: Tensor
    covariance: Tensor


def vicreg(x: Tensor, y: Tensor) -> VICReg:
    """L = 25 s(x, y) + 25 (v(x) + v(y)) + c(x) + c(y) for the embeddings (N, D) of the views a and b.

    s is the mean square of x - y over pairs and dimensions. Computed in float32 whatever the inputs' type.

    Raises:
        ConfigError: fewer than two pairs, which have no variance.
    """
    if x.shape[0] < 2:
        raise ConfigError(f"vicreg needs at least 2 pairs, not {x.shape[0]}; use a larger block_pairs")
    with torch.autocast(x.device.type, enabled=False):
        x, y = x.float(), y.float()
        alike = (x - y).square().mean()
        alive = variance(x) + variance(y)
        apart = covariance(x) + covariance(y)
        loss = INVARIANCE * alike + VARIANCE * alive + COVARIANCE * apart
        return VICReg(loss, alike.detach(), alive.detach(), apart.detach())


def variance(x: Tensor) -> Tensor:
    """v = mean_j max(0, 1 - sqrt(Var(x_j) + 1e-4)), x (N, D): 0 if every dimension varies enough."""
    return relu(TARGET - torch.sqrt(x.var(dim=0) + BESIDE)).mean()


def covariance(x: Tensor) -> Tensor:
    """c = sum_{i != j} Cov(x)_ij^2 / D, x (N, D): 0 if no dimension says what another does."""
    centred = x - x.mean(dim=0)
    matrix = centred.T @ centred / (x.shape[0] - 1)
    return (matrix.square().sum() - matrix.diagonal().square().sum()) / x.shape[1]
