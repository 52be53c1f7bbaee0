"""Barlow Twins: the correlations between the dimensions of one view and those of the other should be the identity.

Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", ICML 2021, equations 1 and 2.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from pairstream.errors import ConfigError

#: Weight of the redundancy term, the paper's.
LAMBDA = 0.005
#: Beside the variance of a dimension, as in the batch normalisation of the authors' code.
BESIDE = 1e-5


class BarlowTwins(NamedTuple):
    """The loss and its two terms, each without its weight; scalars in float32."""

    loss: Tensor
    invariance: Tensor
    redundancy: Tensor


def barlow_twins(x: Tensor, y: Tensor) -> BarlowTwins:
    """L = sum_i (1 - C_ii)^2 + 0.005 sum_{i != j} C_ij^2 for the embeddings (N, D) of the views a and b.

    C (D, D) are the correlations over the batch. Computed in float32 whatever the inputs' type.

    Raises:
        ConfigError: fewer than two pairs, over which there is no correlation.
    """
    if x.shape[0] < 2:
        raise ConfigError(f"barlow-twins needs at least 2 pairs, not {x.shape[0]}; use a larger block_pairs")
    with torch.autocast(x.device.type, enabled=False):
        correlations = standardised(x.float()).T @ standardised(y.float())
        alike = correlations.diagonal()
        invariance = (1.0 - alike).square().sum()
        redundancy = correlations.square().sum() - alike.square().sum()
        return BarlowTwins(invariance + LAMBDA * redundancy, invariance.detach(), redundancy.detach())


def standardised(x: Tensor) -> Tensor:
    """Every dimension of x (N, D) with mean 0 and length 1 over the batch; one that is constant becomes 0."""
    centred = x - x.mean(dim=0)
    return centred * torch.rsqrt((centred.square().mean(dim=0) + BESIDE) * x.shape[0])
