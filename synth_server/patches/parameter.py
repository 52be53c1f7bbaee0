"""Parameter: one number of a sound, as a person reads it and as theta stores it. Plain data.

It says nothing of where the parameter sits in theta (`patch.py`) nor how arrays are mapped (`scale.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One synthesizer parameter: x in [0, 1] stands for `minimum` to `maximum` in `unit`.

    Not symmetric: minimum + (maximum - minimum) * x ** (1 / curve). Symmetric: the same curve, but bent
    away from the middle, d = 2x - 1, sign(d) * abs(d) ** (1 / curve). A curve of 1 is straight; below 1
    it gives more of [0, 1] to small values.
    """

    module: str
    """The module it belongs to, such as adsr_1."""
    name: str
    """Its name within the module, such as attack."""
    minimum: float
    """The least value, in `unit`."""
    maximum: float
    """The greatest value, in `unit`."""
    curve: float
    """The exponent from the human position to the stored one."""
    symmetric: bool
    """Whether the curve bends away from the middle instead of from the minimum."""
    group: str
    """Which delta perturbs it: one of pairstream.spec.GROUPS."""
    unit: str
    """The unit of the human value; empty where it has none."""
    description: str
    """What a musician would say it does."""

    @property
    def label(self) -> str:
        """Module and name, unique within a patch: adsr_1.attack."""
        return f"{self.module}.{self.name}"
