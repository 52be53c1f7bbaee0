"""Scale: theta in [0, 1] to human units and back, for arrays of whole sounds.

Built from exactly rounded operations only (`exact.py`), so it gives the same bits on every machine. An engine
may have its own float32 version of the same formula; this one is for sampling, for people and for tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth_server import exact
from synth_server.patches.parameter import Parameter

Float64 = NDArray[np.float64]


class Scale:
    """The curves and ranges of P parameters; all arrays are (..., P) and float64."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.minimum = np.array([parameter.minimum for parameter in parameters])
        self.maximum = np.array([parameter.maximum for parameter in parameters])
        self.curve = np.array([parameter.curve for parameter in parameters])
        symmetric = np.array([parameter.symmetric for parameter in parameters])
        self._bent = np.flatnonzero((self.curve != 1.0) & ~symmetric)
        self._bent_from_middle = np.flatnonzero((self.curve != 1.0) & symmetric)

    def to_human(self, theta: NDArray[Any]) -> Float64:
        """Stored [0, 1] to human units; relative error of the position below 1e-13."""
        human: Float64 = self.minimum + (self.maximum - self.minimum) * self._bend(theta, 1.0 / self.curve)
        return human

    def to_unit(self, human: NDArray[Any]) -> Float64:
        """Human units to stored [0, 1]: the inverse of `to_human`."""
        return self.stored((np.asarray(human, np.float64) - self.minimum) / (self.maximum - self.minimum))

    def stored(self, position: NDArray[Any]) -> Float64:
        """Position in the human range, 0 at the minimum and 1 at the maximum, to stored [0, 1]."""
        return self._bend(position, self.curve)

    def _bend(self, values: NDArray[Any], exponent: Float64) -> Float64:
        bent = np.array(values, np.float64)
        columns = self._bent
        bent[..., columns] = exact.power(bent[..., columns], exponent[columns])
        columns = self._bent_from_middle
        d = 2.0 * bent[..., columns] - 1.0
        bent[..., columns] = (1.0 + np.sign(d) * exact.power(np.abs(d), exponent[columns])) / 2.0
        return bent
