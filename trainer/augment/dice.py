"""Dice: what fell for each sound of a batch, for whoever changes sounds.

They fall on the CPU, as numbers in (0, 1) of which those on the device are a copy: so who is changed is known without
asking the device, and how is known where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.augmentation import Range


class Column(IntEnum):
    """Where it stands whether an operation happens; the next column says how. And, last, which noise."""

    PITCH = 0
    HIGH = 2
    LOW = 4
    ROOM = 6
    PLACE = 8
    NOISE = 10
    GAIN = 12
    SIGN = 14
    ROOM_KEY = 16
    NOISE_KEY = 17


#: How many numbers of chosen sounds there can be.
SIZES = 16

#: Columns in all, some of them to spare.
WIDTH = 20


class Dice:
    """What fell for each of B sounds: numbers (B, WIDTH) in (0, 1), on the CPU and on the device."""

    def __init__(self, fallen: NDArray[np.float64], device: torch.device) -> None:
        self._fallen = fallen
        self._here = _on(fallen, device)
        self._device = device

    def at(self, column: int) -> Tensor:
        """The numbers of a column, (B,)."""
        return self._here[:, column]

    def whether(self, operation: int, p: float) -> Tensor:
        """True for the sounds to which it happens, (B,)."""
        return self.at(operation) < p

    def between(self, operation: int, ends: Range) -> Tensor:
        """How it happens: numbers in this range, float32 (B,)."""
        return (ends[0] + (ends[1] - ends[0]) * self.at(operation + 1)).float()

    def key(self, column: int) -> Tensor:
        """Whole numbers below 2**32, int64 (B,)."""
        return (self.at(column) * 2.0**32).long()

    def some(self, operation: int, p: float, sounds: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """The sounds, with those changed to which it happens: (those sounds, their rows) -> as many sounds.

        The last is changed several times over, so that how many there are is one of a few numbers: a card plans its
        Fourier transforms, and takes its memory, anew for every number.
        """
        rows = np.flatnonzero(self._fallen[:, operation] < p)
        if not len(rows):
            return sounds
        spare = -len(rows) % max(1, len(sounds) // SIZES)
        at = _on(np.pad(rows, (0, spare), mode="edge"), self._device)
        return sounds.index_copy(0, at, change(sounds[at], at))


def _on(array: NDArray[np.generic], device: torch.device) -> Tensor:
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
