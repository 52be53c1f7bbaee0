"""of_all: a tensor of this process beside those of all others, with gradients.

Every process of a run computes the loss of the whole batch. A gradient with respect to this process's rows comes from
all of them, so it is their sum; DDP's mean over the processes then gives the gradient of one process with all pairs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def of_all(x: Tensor) -> Tensor:
    """Rows (N, D) of this process -> rows (W * N, D) of all W, in the order of ranks; `x` itself if it is alone."""
    if not (distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1):
        return x
    gathered: Tensor = _OfAll.apply(x)  # type: ignore[no-untyped-call]
    return gathered


class _OfAll(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.contiguous().clone()
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[distributed.get_rank()]
