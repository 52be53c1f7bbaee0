"""From vectors to whether each clip was named rightly: one probe, over all splits and repeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pairstream.errors import ConfigError
from trainer.probes.cache import forgotten
from trainer.probes.probe import Labelled, Probe, Vectors
from trainer.recordings import Recordings


def scores(probe: Probe, recordings: Recordings, vectors: Vectors) -> NDArray[np.bool_]:
    """Right or not, (repeats, m), for the m clips that `recordings.tested` marks, in the manifest's order.

    Every tested clip is named by a probe that was fitted without its fold.
    """
    _, classes = np.unique(recordings.labels, return_inverse=True)
    all_clips = Labelled(vectors=vectors, classes=classes, groups=recordings.groups)
    right = np.zeros((probe.repeats, len(vectors)), dtype=np.bool_)
    for train, test in recordings.splits():
        for repeat in range(probe.repeats):
            right[repeat, test] = probe.predict(all_clips[train], vectors[test], repeat) == classes[test]
    return right[:, recordings.tested]


def scores_of_file(probe: Probe, recordings: Recordings, path: Path) -> NDArray[np.bool_]:
    """`scores` of the vectors in a .npy file, on one thread: processes are many, and so small a sum gains nothing.

    Raises:
        ConfigError: the file is not there any more.
    """
    try:
        vectors = np.load(path, allow_pickle=False)
    except OSError as error:
        raise ConfigError(forgotten(path)) from error
    with threadpool_limits(1):
        return scores(probe, recordings, vectors)
