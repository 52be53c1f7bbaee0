"""The few-shot probe: how far do k labelled clips of each class go?

Nearest class mean on centred, unit-length features: the simplest classifier that is hard to beat from so
few (Wang et al. 2019, SimpleShot, arXiv 1911.04623). Nothing is fitted, so nothing can be over-fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pairstream.errors import ConfigError
from trainer.probes.probe import Labelled, Numbers, Vectors, standardised


@dataclass(frozen=True, kw_only=True)
class FewShot:
    """`k` clips of each class, drawn `draws` times; all of them where a class has fewer."""

    k: int
    draws: int = 20

    def __post_init__(self) -> None:
        if self.k < 1 or self.draws < 1:
            raise ConfigError(f"k={self.k} clips, drawn {self.draws} times, are nothing to learn from; use at least 1")

    @property
    def name(self) -> str:
        """As tables say it."""
        return f"{self.k}-shot"

    @property
    def about(self) -> str:
        """For the foot of a table."""
        return (
            f"nearest mean of {self.k} training clips per class, by the cosine of features that are standardised by "
            f"the whole training part; {self.draws} draws"
        )

    @property
    def repeats(self) -> int:
        """One for each draw."""
        return self.draws

    def predict(self, train: Labelled, test: Vectors, repeat: int) -> Numbers:
        """As `Probe` says."""
        vectors, tested = (_unit(part) for part in standardised(train.vectors, test))
        shown = drawn(train.classes, self.k, repeat)
        present = np.unique(train.classes)
        means = np.stack([vectors[shown & (train.classes == one)].mean(axis=0) for one in present])
        return np.asarray(present[(tested @ _unit(means).T).argmax(axis=1)])


def drawn(classes: Numbers, k: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """A mask (n,) of k clips of each class, or of all where there are fewer; the same for the same seed."""
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(classes), dtype=np.bool_)
    for one in np.unique(classes):
        chosen[random.permutation(np.flatnonzero(classes == one))[:k]] = True
    return chosen


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)
