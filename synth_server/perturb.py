"""theta -> (theta of view a, theta of view b): the second arrow on the way of a block.

clip(theta + delta * N(0, 1), 1e-6, 1), both views independently, every parameter, as in
"Contrastive Learning from Synthetic Audio Doppelgängers" (Cherep and Singh, 2025). The original is not a view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairstream.spec import StreamSpec
from synth_server import draws, exact
from synth_server.patches import Patch

#: The least stored value that is rendered: at 0 some modules divide 0 by 0.
FLOOR = 1e-6


def perturb(
    spec: StreamSpec, patch: Patch, index: int, theta: NDArray[np.float32], layer: int = 0, *, rows: range | None = None
) -> NDArray[np.float32]:
    """(N, P) -> (N, 2, P) in [1e-6, 1]. A layer deviates the same way for every delta, but for scale.

    `rows` are the pairs of the block that `theta` belongs to, all unless said.

    Raises:
        ConfigError: `index` is not a whole number of at least 0.
    """
    pairs, parameters = theta.shape
    raw = draws.words(spec, index, draws.Purpose.PERTURBATION, 2 * parameters, layer, rows=rows)
    deviations = exact.normal(draws.uniform(raw)).reshape(pairs, 2, parameters)
    delta = np.array([spec.delta_of(parameter.group) for parameter in patch.parameters])
    views = np.clip(theta[:, None, :] + delta * deviations, FLOOR, 1.0)
    return np.maximum(views.astype(np.float32), np.float32(FLOOR))
