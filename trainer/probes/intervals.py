"""95 % intervals, of two kinds. A table says at its foot which it shows.

- Of one run: the percentile bootstrap. Test recordings are drawn again with replacement, 1,000 times, and so are
  the repeats of a probe (seeds, draws) if it has several; the interval holds the middle 95 % of the accuracies. A
  recording is a value of the manifest's column `group`, or else a clip: clips of one recording or of one speaker
  are not independent. It says how far the accuracy could be off with other recordings of the same kind and the
  same encoder.
- Of several runs that differ in nothing but their seeds: Student's t over the runs' accuracies. It says how far
  the mean could be off with other seeds and the same recordings. Of two runs it is wide, as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL: Final = 0.95
RESAMPLES: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean with its interval; `over` says what was resampled or averaged."""

    mean: float
    low: float
    high: float
    over: str

    @property
    def half(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


def bootstrap(right: NDArray[np.bool_], groups: NDArray[np.int64], seed: int = 0) -> Estimate:
    """Accuracy of one run: right (repeats, n), whether each clip was named rightly; groups (n,), its recording."""
    random = np.random.default_rng(seed)
    repeats = len(right)
    units, unit = np.unique(groups, return_inverse=True)
    sizes = np.bincount(unit).astype(np.float64)
    sums = np.stack([np.bincount(unit, weights=row) for row in right.astype(np.float64)])  # (repeats, units)
    of_repeats = random.multinomial(repeats, np.full(repeats, 1 / repeats), RESAMPLES) / repeats
    of_units = random.multinomial(len(units), np.full(len(units), 1 / len(units)), RESAMPLES)
    accuracies = ((of_repeats @ sums) * of_units).sum(axis=1) / (of_units @ sizes)
    low, high = np.quantile(accuracies, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(mean=float(right.mean()), low=float(low), high=float(high), over=f"{len(units)} recordings")


def student(values: NDArray[np.float64], over: str = "runs") -> Estimate:
    """Mean of two or more independent values with the t interval, which may reach beyond what they can be."""
    count = len(values)
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * float(values.std(ddof=1)) / count**0.5
    mean = float(values.mean())
    return Estimate(mean=mean, low=mean - half, high=mean + half, over=f"{count} {over}")
