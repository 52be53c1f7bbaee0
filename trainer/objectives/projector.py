"""The projector: what stands between the encoder and a loss, and is thrown away after the training.

Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020, found that a loss
spoils the layer that it sees for other uses, and gave it a layer of its own. The paper of the doppelgängers has none.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def projector(inputs: int, sizes: Sequence[int], *, standardised: bool = False) -> nn.Sequential:
    """Linear layers of `sizes`, with batch normalisation and ReLU between them: (N, inputs) -> (N, sizes[-1]).

    Without sizes it is nothing: the loss sees the encoder's final layer. Else, if it is to be `standardised`, every
    number that it gives has mean 0 and deviation 1 in a batch.
    """
    layers: list[nn.Module] = []
    for size in sizes[:-1]:
        layers += [nn.Linear(inputs, size, bias=False), nn.BatchNorm1d(size), nn.ReLU(inplace=True)]
        inputs = size
    layers += [nn.Linear(inputs, size) for size in sizes[-1:]]
    layers += [nn.BatchNorm1d(size, affine=False) for size in sizes[-1:] if standardised]
    return nn.Sequential(*layers)
