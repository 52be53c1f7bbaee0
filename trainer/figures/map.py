"""A map of the embeddings: every clip a point, in two dimensions of many, coloured by its class.

A principal component analysis (PCA) of standardised features keeps distances as well as two dimensions can; t-SNE
(van der Maaten & Hinton 2008) keeps neighbours and nothing else, so its axes have no unit. Where there
are more classes than can be told apart, some are shown and the others are grey. The few points that lie far out,
one in a hundred at either end of an axis, may be beyond the frame, or else they would be all that is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from trainer.figures.style import GREY, colour, legend_below, mark, panels, save
from trainer.probe_settings import Projection
from trainer.probes.probe import Vectors, standardised
from trainer.recordings import Recordings

SHOWN_CLASSES = 10


def draw_map(recordings: Recordings, named: Sequence[tuple[str, Vectors]], how: Projection, folder: Path) -> Path:
    """One PNG: a panel for each named representation of the recordings."""
    figure, axes = panels(len(named), width=3.0, height=2.9, columns=4, shared=False)
    classes = np.unique(recordings.labels)
    shown = classes[np.linspace(0, len(classes) - 1, min(SHOWN_CLASSES, len(classes))).round().astype(int)]
    for (name, vectors), panel in zip(named, axes, strict=True):
        points, says = project(vectors, how)
        _points(panel, points, recordings.labels, shown)
        _frame(panel, points)
        panel.set_title(name)
        panel.set_xlabel(says[0])
        panel.set_ylabel(says[1])
    if how == "tsne":
        for panel in axes:
            panel.set_xticks([])
            panel.set_yticks([])
    legend_below(figure, axes[0])
    return save(figure, folder / f"map-{recordings.name}-{how}.png")


def project(vectors: Vectors, how: Projection) -> tuple[NDArray[np.float64], tuple[str, str]]:
    """Vectors (n, D) -> points (n, 2), and what their axes are."""
    features, _ = standardised(vectors, vectors)
    if how == "tsne":
        perplexity = min(30.0, max(1.0, (len(features) - 1) / 4))
        with threadpool_limits(1):  # so few points are no work for threads, which would mostly wait for each other
            points = TSNE(init="pca", perplexity=perplexity, random_state=0).fit_transform(features)
        return np.asarray(points, dtype=np.float64), ("t-SNE 1", "t-SNE 2")
    analysis = PCA(2, svd_solver="full").fit(features)
    first, second = (
        f"component {i + 1} ({share:.0%} of variance)" for i, share in enumerate(analysis.explained_variance_ratio_)
    )
    return np.asarray(analysis.transform(features), dtype=np.float64), (first, second)


def _frame(panel: Axes, points: NDArray[np.float64]) -> None:
    low, high = np.quantile(points, [0.01, 0.99], axis=0)
    margin = 0.08 * (high - low) + 1e-9
    panel.set_xlim(low[0] - margin[0], high[0] + margin[0])
    panel.set_ylim(low[1] - margin[1], high[1] + margin[1])


def _points(panel: Axes, points: NDArray[np.float64], labels: NDArray[np.str_], shown: NDArray[np.str_]) -> None:
    others = ~np.isin(labels, shown)
    if others.any():
        x, y = points[others].T
        panel.scatter(x, y, s=5, color=GREY, alpha=0.25, linewidths=0, label="other classes")
    for number, name in enumerate(shown):
        x, y = points[labels == name].T
        panel.scatter(x, y, s=11, color=colour(number), marker=mark(number), alpha=0.75, linewidths=0, label=str(name))
