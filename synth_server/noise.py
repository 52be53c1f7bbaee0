"""White noise as a pure function of (key, sample number): the same bits on a CPU and on a GPU.

A counter hashed with 32-bit integer steps (two multiply-and-xorshift rounds, multipliers of Wellons' lowbias32)
instead of a generator with a state, so that any engine can make sample t where it needs it. An engine plays it;
the keys come from `sampling.noise_keys`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Odd number next to 2**32 / golden ratio: consecutive counters land far apart.
STRIDE = 0x9E3779B9
MULTIPLIERS = (0x7FEB352D, 0x846CA68B)
SHIFTS = (16, 15)


def white(keys: NDArray[np.uint64], samples: int, device: torch.device | str = "cpu") -> Tensor:
    """Noise of the sounds with these keys: (B,) -> float32 (B, T), uniform in [-1, 1), multiples of 2**-23."""
    start, salt = (word[:, None] for word in _seeds(keys, device))
    x = torch.arange(samples, dtype=torch.int32, device=device).mul_(_signed(STRIDE)) + start
    spare = torch.empty_like(x)
    _round(x, 0, spare)
    x ^= salt
    _round(x, 1, spare)
    # An arithmetic shift keeps the sign: the top 24 bits as a whole number in [-2**23, 2**23).
    x >>= 8
    return x.to(torch.float32).mul_(2.0**-23)


def _seeds(keys: NDArray[np.uint64], device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Two well mixed 32-bit words per key, one to one: keys that differ in one bit give unrelated noise."""
    low, high = (
        torch.from_numpy((keys >> np.uint64(shift)).astype(np.uint32).view(np.int32)).to(device) for shift in (0, 32)
    )
    start = _mix(low + _signed(STRIDE))
    salt = _mix(high ^ start)
    return _mix(start + salt), salt


def _mix(x: Tensor) -> Tensor:
    x = x.clone()
    spare = torch.empty_like(x)
    for step in (0, 1, 0):
        _round(x, step, spare)
    return x


def _round(x: Tensor, step: int, spare: Tensor) -> None:
    """x ^= x >> shift; x *= multiplier; in place, modulo 2**32. The mask makes torch's signed shift an unsigned one."""
    shift = SHIFTS[step]
    torch.bitwise_right_shift(x, shift, out=spare)
    spare &= (1 << (32 - shift)) - 1
    x ^= spare
    x *= _signed(MULTIPLIERS[step])


def _signed(word: int) -> Any:
    """The int32 with the same bits, since torch's integers are signed."""
    return word - (1 << 32) if word >= 1 << 31 else word
