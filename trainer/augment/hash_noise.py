"""White noise from a hash of (key, sample number): the same numbers on a CPU and on a GPU, whatever the batch."""

from __future__ import annotations

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF
#: Odd number next to 2**32 / golden ratio, and Wellons' multipliers and shifts of lowbias32.
_STRIDE = 0x9E3779B9
_ROUNDS = ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1))


def white(keys: Tensor, samples: int) -> Tensor:
    """Keys (B,), whole numbers below 2**32 as int64 -> noise (B, samples), float32, uniform in [-1, 1)."""
    counter = torch.arange(samples, device=keys.device, dtype=torch.int64) * _STRIDE
    words = _mixed(_mixed(keys[:, None]) + counter)
    return (words >> 8).float() * 2.0**-23 - 1.0


def _mixed(x: Tensor) -> Tensor:
    """One to one on words of 32 bits. A product may overflow 64 bits; its lower 32 are right in any case."""
    x = x & _WORD
    for shift, multiplier in _ROUNDS:
        x = ((x ^ (x >> shift)) * multiplier) & _WORD
    return x
