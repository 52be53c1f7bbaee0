"""How the two views of a pair differ: every parameter, those that δ moved furthest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth_server import readable
from synth_server.patches import Parameter
from synth_server.patches.scale import Scale


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One parameter in both views."""

    parameter: Parameter
    layer: int
    theta: tuple[float, float]
    """As stored, in [0, 1]: what δ perturbs, and by which parameters of different units compare."""
    human: tuple[float, float]
    """In the parameter's own unit."""

    @property
    def moved(self) -> float:
        """How far apart the views are, as stored."""
        return abs(self.theta[1] - self.theta[0])

    @property
    def texts(self) -> tuple[str, str]:
        """Both values as a person reads them."""
        return readable.value(self.parameter, self.human[0]), readable.value(self.parameter, self.human[1])

    @property
    def change(self) -> str:
        """From view a to view b, with its sign and unit."""
        return readable.change(self.parameter, *self.human)


def differences(theta: NDArray[np.float32], parameters: Sequence[Parameter]) -> list[Difference]:
    """All parameters of every layer, theta (2, L * P), the furthest apart first."""
    layered = theta.reshape(2, -1, len(parameters))
    human = Scale(parameters).to_human(layered)
    furthest = np.argsort(-np.abs(theta[1] - theta[0]), kind="stable")
    return [
        Difference(
            parameter=parameters[column],
            layer=layer,
            theta=(float(layered[0, layer, column]), float(layered[1, layer, column])),
            human=(float(human[0, layer, column]), float(human[1, layer, column])),
        )
        for layer, column in (divmod(int(place), len(parameters)) for place in furthest)
    ]
