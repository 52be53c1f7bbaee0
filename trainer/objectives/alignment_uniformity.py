"""Alignment and uniformity: pull the two views of a pair together, spread all sounds over the sphere.

Wang & Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on
the Hypersphere", ICML 2020, with the paper's weights: alpha = 2, t = 2, both terms weighted 1.

It is the default objective, and of every other one both terms are told all the same: the field's yardstick.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from pairstream.errors import ConfigError

T = 2.0


class AlignmentUniformity(NamedTuple):
    """The loss and its two terms, scalars in float32."""

    loss: Tensor
    alignment: Tensor
    uniformity: Tensor


def alignment_uniformity(x: Tensor, y: Tensor) -> AlignmentUniformity:
    """L = mean ||x - y||^2 + (U(x) + U(y)) / 2 for the embeddings (N, D) of the views a and b.

    The rows are L2-normalised here. Computed in float32 whatever the inputs' type, also under autocast.

    Raises:
        ConfigError: fewer than two pairs, which have no distances to spread.
    """
    if x.shape[0] < 2:
        raise ConfigError(f"uniformity needs at least 2 pairs, not {x.shape[0]}; use a larger block_pairs")
    with torch.autocast(x.device.type, enabled=False):
        x, y = normalize(x.float(), dim=1), normalize(y.float(), dim=1)
        aligned = alignment(x, y)
        spread = (uniformity(x) + uniformity(y)) / 2
        return AlignmentUniformity(aligned + spread, aligned.detach(), spread.detach())


def alignment(x: Tensor, y: Tensor) -> Tensor:
    """mean_i ||x_i - y_i||^2 of unit rows (N, D): 0 for equal views, 4 for opposite ones."""
    return (x - y).square().sum(dim=1).mean()


def uniformity(x: Tensor) -> Tensor:
    """U = log mean_{i<j} exp(-2 ||x_i - x_j||^2) of unit rows (N, D): 0 if all are one, about -4 at best.

    As ||x_i - x_j||^2 = 2 - 2 x_i.x_j, one matrix product gives all distances, and its gradient is
    finite where two rows coincide. Every pair counts twice and the diagonal not at all: the same mean.
    """
    count = x.shape[0]
    exponents = -T * (2.0 - 2.0 * (x @ x.T))
    itself = torch.eye(count, dtype=torch.bool, device=x.device)
    return exponents.masked_fill(itself, -torch.inf).flatten().logsumexp(0) - math.log(count * (count - 1))
