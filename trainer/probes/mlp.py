"""The MLP probe: HEAR's (Turian et al. 2022, arXiv 2203.03022), in a frugal form.

Like HEAR: hidden layers, Adam, a grid of settings, early stopping, and the choice by the score on a
validation part. Unlike HEAR's default: a grid of 3 learning rates rather than 8 settings, a hidden layer of
256 rather than 1,024, no dropout, and at most 100 passes rather than 500.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from sklearn.neural_network import MLPClassifier

from trainer.probes.probe import Labelled, Numbers, Vectors, standardised
from trainer.probes.validation import validation_part

BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Mlp:
    """A network that is fitted once per learning rate and stopped where the validation part is best; `seeds` times."""

    hidden: tuple[int, ...] = (256,)
    rates: tuple[float, ...] = (3.2e-3, 1e-3, 3.2e-4)
    patience: int = 8
    """Passes without a better score on the validation part before giving up."""
    passes: int = 100
    """Over the training part, at most."""
    seeds: int = 2

    @property
    def name(self) -> str:
        """As tables say it."""
        return "mlp"

    @property
    def about(self) -> str:
        """For the foot of a table."""
        return (
            f"{' and '.join(map(str, self.hidden))} hidden units on standardised features; learning rate (of "
            f"{', '.join(f'{rate:g}' for rate in self.rates)}) and end of training chosen on a fifth of the training "
            f"part, the rest of which it is fitted to (all of it if it cannot be parted); {self.seeds} seeds"
        )

    @property
    def repeats(self) -> int:
        """One for each seed."""
        return self.seeds

    def predict(self, train: Labelled, test: Vectors, repeat: int) -> Numbers:
        """As `Probe` says."""
        held = validation_part(train.classes, train.groups, seed=repeat)
        fitted, judged = (train[~held], train[held]) if held.any() else (train, train)
        vectors, tested = standardised(fitted.vectors, test)
        _, validated = standardised(fitted.vectors, judged.vectors)
        models = [self._model(rate, repeat, len(vectors)) for rate in self.rates]
        found = [self._fitted(model, vectors, fitted.classes, (validated, judged.classes)) for model in models]
        return np.asarray(max(found, key=lambda one: one[0])[1].predict(tested))

    def _model(self, rate: float, seed: int, clips: int) -> MLPClassifier:
        return MLPClassifier(self.hidden, learning_rate_init=rate, batch_size=min(BATCH, clips), random_state=seed)

    def _fitted(
        self, model: MLPClassifier, vectors: Vectors, classes: Numbers, judged: tuple[Vectors, Numbers]
    ) -> tuple[float, MLPClassifier]:
        """The best score on the validation part `judged`, and the network that had it."""
        best, kept, since = -1.0, model, 0
        for _ in range(self.passes):
            model.partial_fit(vectors, classes, classes=np.unique(classes))
            score = float(model.score(*judged))
            since += 1
            if score > best:
                best, kept, since = score, deepcopy(model), 0
            if since >= self.patience:
                break
        return best, kept
