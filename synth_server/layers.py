"""Layers: several sounds played at once are one sound. Of a spec with `layers` above 1, the last step of a block.

The sum is taken in the order of the layers, in float32, sample by sample: IEEE additions and one division, so the
bytes are the same on every machine. What is summed are whole sounds, each scaled by its own peak if that exceeds 1.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Sounds = NDArray[np.float32]


def together(layers: Iterable[Sounds]) -> Sounds:
    """Layers of B sounds (B, T) -> their sums (B, T), each scaled to a peak of 1 if its own is more.

    The first array is written to; the others are needed one at a time.
    """
    given = iter(layers)
    total = next(given)
    for sounds in given:
        total += sounds
    peaks = np.maximum(total.max(axis=1), -total.min(axis=1))
    total /= np.maximum(peaks, np.float32(1.0))[:, None]
    return total
