"""NT-Xent: of 2N sounds, which is the other view of this one? SimCLR's loss.

Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020, equation 1.
The 2N x 2N similarities are never held at once: neither forward nor backward needs more than `ROWS` rows of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import normalize

from pairstream.errors import ConfigError

#: Rows of similarities held at a time.
ROWS = 1024


class NTXent(NamedTuple):
    """The loss, and the mean cosine between the views of a pair; scalars in float32."""

    loss: Tensor
    cosine: Tensor


def nt_xent(x: Tensor, y: Tensor, *, temperature: float = 0.1, rows: int = ROWS) -> NTXent:
    """L = mean_i (log sum_{k != i} exp(z_i.z_k / t) - z_i.z_j(i) / t) over the 2N rows z of views a and b (N, D).

    j(i) is the other view of i. Rows are L2-normalised here. Computed in float32 whatever the inputs' type.

    Raises:
        ConfigError: fewer than two pairs, among which there is nothing to be told apart.
    """
    if x.shape[0] < 2:
        raise ConfigError(f"nt-xent needs at least 2 pairs, not {x.shape[0]}; use a larger block_pairs")
    with torch.autocast(x.device.type, enabled=False):
        x, y = normalize(x.float(), dim=1), normalize(y.float(), dim=1)
        own = (x * y).sum(dim=1).mean()
        crowd: Tensor = _CrowdedLogSumExp.apply(torch.cat([x, y]), temperature, rows)  # type: ignore[no-untyped-call]
        return NTXent(crowd.mean() - own / temperature, own.detach())


class _CrowdedLogSumExp(Function):
    """log sum_{k != i} exp(z_i.z_k / t) of every row: z (M, D) -> (M,)."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, temperature: float, rows: int) -> Tensor:
        crowd = torch.cat([_logits(z, at, rows, temperature).logsumexp(dim=1) for at in range(0, len(z), rows)])
        ctx.save_for_backward(z, crowd)
        ctx.temperature, ctx.rows = temperature, rows
        return crowd

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        """d crowd_i / d (z_i.z_k) = softmax_ik / t, and z_i.z_k moves with both rows."""
        z, crowd = ctx.saved_tensors
        total = torch.zeros_like(z)
        for at in range(0, len(z), ctx.rows):
            part = slice(at, at + ctx.rows)
            weights = torch.exp(_logits(z, at, ctx.rows, ctx.temperature) - crowd[part, None])
            weights *= grad[part, None] / ctx.temperature
            total[part] += weights @ z
            total += weights.T @ z[part]
        return total, None, None


def _logits(z: Tensor, at: int, rows: int, temperature: float) -> Tensor:
    """Similarities of `rows` rows from `at` on with all, each row's with itself left out: (rows, M)."""
    part = z[at : at + rows]
    logits = part @ z.T / temperature
    here = torch.arange(len(part), device=z.device)
    logits[here, here + at] = -torch.inf
    return logits
