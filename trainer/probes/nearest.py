"""The probe of the nearest neighbours: is what sounds of one kind have in common near in the vectors, too?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from pairstream.errors import ConfigError
from trainer.probes.probe import Labelled, Numbers, Vectors, standardised


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """What most of the `k` nearest training clips are, by the cosine of standardised features; no fit at all.

    Of classes that are named equally often it is the first.
    """

    k: int = 5

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigError(f"k={self.k} neighbours say nothing; use at least 1")

    @property
    def name(self) -> str:
        """As tables say it."""
        return "knn"

    @property
    def about(self) -> str:
        """For the foot of a table."""
        return f"the {self.k} nearest clips of the training part, by the cosine of standardised features"

    @property
    def repeats(self) -> int:
        """There is nothing random in it."""
        return 1

    def predict(self, train: Labelled, test: Vectors, repeat: int) -> Numbers:
        """As `Probe` says."""
        vectors, tested = standardised(train.vectors, test)
        model = KNeighborsClassifier(min(self.k, len(train)), metric="cosine", algorithm="brute")
        return np.asarray(model.fit(vectors, train.classes).predict(tested))
