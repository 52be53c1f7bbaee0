"""(spec, index) -> theta, the sounds that the pairs of a block are made from, and the keys of their noise.

The first arrow on the way of a block. It does not perturb (`perturb.py`), and delta plays no part here: the same
theta can be shown at several deltas.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairstream.spec import StreamSpec
from synth_server import draws
from synth_server.patches import Patch


def sample(
    spec: StreamSpec, patch: Patch, index: int, layer: int = 0, *, rows: range | None = None
) -> NDArray[np.float32]:
    """Theta of one layer of block `index`: (N, P) in [0, 1]; `rows` are the pairs that are wanted, all unless said.

    Layer 0 is the same however many there are.

    unit: uniform as stored, as torchsynth draws. paper: uniform in human units and then stored along the
    parameter's curve, as the paper's SynthAX draws; u ** curve, or with d = 2u - 1 sign(d) * abs(d) ** curve.

    Raises:
        ConfigError: `index` is not a whole number of at least 0.
    """
    u = draws.uniform(draws.words(spec, index, draws.Purpose.THETA, len(patch.parameters), layer, rows=rows))
    theta = patch.scale.stored(u) if spec.sampling == "paper" else u
    return theta.astype(np.float32)


def noise_keys(spec: StreamSpec, index: int, layer: int = 0) -> NDArray[np.uint64]:
    """One key per sound of a layer, (N, 2): both views of a pair, and their layers, have noise of their own.

    A noise shared by both views would be a mark to recognise a pair by.

    Raises:
        ConfigError: `index` is not a whole number of at least 0.
    """
    return np.ascontiguousarray(draws.words(spec, index, draws.Purpose.NOISE, 2, layer))
