"""Grid: which samples of audio lie between which two control samples. The same for every sound of a format.

Between two control samples everything that is modulated is a straight line. So the samples of one such segment stand
in one lane, and LANES segments side by side: lane by lane the kernel adds, multiplies and never looks anything up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Segments side by side: two of the widest vectors there are, so that one waits while the other computes.
LANES = 32
#: Longer segments are cut, so that a block of LANES of them stays in the first-level cache.
LONGEST = 64


class Grid(NamedTuple):
    """S segments, S a multiple of LANES; those beyond the end of the sound hold no sample."""

    starts: NDArray[np.int32]
    """First sample of each segment (S,)."""
    lengths: NDArray[np.int32]
    """Samples in each segment (S,); they add up to T."""
    first: NDArray[np.float32]
    """Where in its segment the first sample lies (S,), 0 to 1."""
    step: np.float32
    """How much of a segment one sample is."""
    cuts: int
    """Segments per control sample."""
    controls: int
    """Control samples of a sound."""
    samples: int
    """T, samples of a sound."""
    sample_rate: float
    """In hertz."""
    control_rate: float
    """In hertz."""


def grid(samples: int, controls: int, sample_rate: int, control_rate: int) -> Grid:
    """The grid of sounds of so many samples, whose first and last lie on the first and last control sample.

    Sample i lies at i * (S - 1) / (T - 1) segments; whole numbers keep that exact until the last division.
    """
    steps = max(samples - 1, 1)
    cuts = -(-steps // (LONGEST * max(controls - 1, 1)))
    segments = max(controls - 1, 1) * cuts
    number = np.arange(-(-(segments + 1) // LANES) * LANES + 1, dtype=np.int64)
    starts = np.minimum(-(-number * steps // segments), samples)
    starts[segments + 1 :] = samples
    first = (starts * segments - number * steps) / steps
    inside = starts[:-1] < samples
    return Grid(
        starts=starts[:-1].astype(np.int32),
        lengths=np.diff(starts).astype(np.int32),
        first=np.where(inside, first[:-1], 0.0).astype(np.float32),
        step=np.float32(segments / steps),
        cuts=cuts,
        controls=controls,
        samples=samples,
        sample_rate=float(sample_rate),
        control_rate=float(control_rate),
    )
