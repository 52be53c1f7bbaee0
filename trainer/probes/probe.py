"""Probe: a classifier that is cheap beside the encoder, and so says what is in the encoder's vectors.

A probe sees vectors and labels of a training part, and names the test part's vectors. What it must
choose (a penalty, when to stop) it chooses inside the training part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Vectors (n, D) of n clips, the number of each one's class (n,), and of the recording it is from (n,)."""

    vectors: Vectors
    classes: Numbers
    groups: Numbers
    """Clips with the same number are not independent: of one recording, or of one speaker."""

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, rows: NDArray[np.bool_] | Numbers) -> Labelled:
        return Labelled(vectors=self.vectors[rows], classes=self.classes[rows], groups=self.groups[rows])


class Probe(Protocol):
    """A kind of classifier with its settings; a frozen dataclass, so that its repr says all of it."""

    @property
    def name(self) -> str:
        """As tables and the command line say it."""

    @property
    def about(self) -> str:
        """What it does, in one sentence for the foot of a table; scores are kept under it, too."""

    @property
    def repeats(self) -> int:
        """How many times it is fitted with other random numbers; 1 if it takes none."""

    def predict(self, train: Labelled, test: Vectors, repeat: int) -> Numbers:
        """The class of every row of `test` (m, D), learned from `train`; the same for the same `repeat`."""


def standardised(train: Vectors, test: Vectors) -> tuple[Vectors, Vectors]:
    """Both parts with every feature at mean 0 and deviation 1 in the training part; a constant feature becomes 0."""
    mean = train.mean(axis=0, dtype=np.float64)
    deviation = train.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 1e-10 * (1.0 + np.abs(mean)), deviation, np.inf)
    return ((train - mean) / scale).astype(np.float32), ((test - mean) / scale).astype(np.float32)
