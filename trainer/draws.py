"""Random numbers that are a function of (seed, purpose, number of the item): the trainer's only chance in its data.

NumPy's Philox is a counter cipher: the seed and the purpose are its key, the item's number its counter. So what happens
to pair 4711 does not depend on which process has it, in what company, or on what was drawn before, and a run
resumes to the bit.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

#: Words of 64 bits that Philox gives per step of its counter.
_STEP = 4


class Purpose(IntEnum):
    """What the numbers are for; each has a sequence of its own, unrelated to the others of the trainer.

    The stream and `pairstream.deck` have keys of this form, too, for things that lie elsewhere in a pair's life.
    """

    CROPS = 1
    MIXTURE = 2
    AUGMENTATION = 3
    LIBRARY = 4
    MASKS = 5


def uniform(seed: int, purpose: Purpose, first: int, count: int, width: int) -> NDArray[np.float64]:
    """(count, width) numbers in (0, 1) for the items `first`, `first` + 1, …"""
    steps = -(-width // _STEP)
    key = np.array([seed, purpose], np.uint64)
    raw = np.random.Philox(key=key, counter=first * steps).random_raw(count * steps * _STEP)
    return ((raw.reshape(count, -1)[:, :width] >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
