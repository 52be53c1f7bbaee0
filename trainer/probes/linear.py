"""The linear probe, the paper's: how much of a label can be read off a vector by a linear rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from pairstream.errors import ConfigError
from trainer.probes.probe import Labelled, Numbers, Vectors, standardised
from trainer.probes.validation import validation_part

GRID = (0.001, 0.01, 0.1, 1.0, 10.0)
MIDDLE = 0.1
MOST_ITERATIONS = 5_000


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Multinomial logistic regression with an L2 penalty on standardised features.

    Args:
        c: inverse strength of the penalty. None: of `GRID`, the one that is right most often on a fifth of
            the training part, the least of equals; then fitted to all of it. That treats representations of
            different sizes alike, but a fifth of a small set chooses badly.
    """

    c: float | None = None

    def __post_init__(self) -> None:
        if self.c is not None and not 0 < self.c < float("inf"):
            raise ConfigError(f"c={self.c} is no inverse strength of a penalty; use a number above 0, such as {MIDDLE}")

    @property
    def name(self) -> str:
        """As tables say it."""
        return "linear"

    @property
    def about(self) -> str:
        """For the foot of a table."""
        strength = (
            f"C of {', '.join(f'{c:g}' for c in GRID)} chosen on a fifth of the training part, or {MIDDLE:g} if that "
            "cannot be parted"
            if self.c is None
            else f"C = {self.c:g}"
        )
        return f"logistic regression on standardised features, {strength}"

    @property
    def repeats(self) -> int:
        """There is nothing random in it that could be otherwise."""
        return 1

    def predict(self, train: Labelled, test: Vectors, repeat: int) -> Numbers:
        """As `Probe` says."""
        vectors, tested = standardised(train.vectors, test)
        model = LogisticRegression(C=self.c or _best_c(train), max_iter=MOST_ITERATIONS)
        return np.asarray(model.fit(vectors, train.classes).predict(tested))


def _best_c(train: Labelled) -> float:
    held = validation_part(train.classes, train.groups, seed=0)
    fitted, judged = train[~held], train[held]
    if not len(judged) or len(np.unique(fitted.classes)) < 2:
        return MIDDLE
    vectors, tested = standardised(fitted.vectors, judged.vectors)
    model = LogisticRegression(max_iter=MOST_ITERATIONS, warm_start=True)
    right = [
        int((model.set_params(C=c).fit(vectors, fitted.classes).predict(tested) == judged.classes).sum()) for c in GRID
    ]
    return GRID[int(np.argmax(right))]
