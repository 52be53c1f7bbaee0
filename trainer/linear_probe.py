"""The linear probe: how much of a label can be read off a vector by a linear rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from trainer.recordings import Recordings


def accuracy(recordings: Recordings, vectors: NDArray[np.float32], c: float) -> float:
    """Share of the tested clips that are named rightly, over all splits; vectors (n, D), one per clip.

    Features are standardised with the training part's statistics; then multinomial logistic regression
    with an L2 penalty of inverse strength `c`. Nothing is chosen by looking at the test part.
    """
    right = tested = 0
    for train, test in recordings.splits():
        model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5_000))
        # Two threads of the BLAS fighting over matrices this small cost ten times what they save.
        with threadpool_limits(1):
            model.fit(vectors[train], recordings.labels[train])
        right += int((model.predict(vectors[test]) == recordings.labels[test]).sum())
        tested += int(test.sum())
    return right / tested
