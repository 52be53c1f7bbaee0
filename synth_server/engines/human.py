"""theta to human units as torchsynth does it: in float32, on the engine's device.

`patches/scale.py` is the exact version for sampling and people. The reference engine keeps torchsynth's own
rounding, since an oscillator's phase adds it up over thousands of samples.
"""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor
from torchsynth.parameter import ModuleParameterRange

from synth_server.patches import Parameter


class HumanUnits:
    """The map of P parameters, one operation for all that have the same range."""

    def __init__(self, parameters: tuple[Parameter, ...], device: torch.device) -> None:
        same = defaultdict(list)
        for column, parameter in enumerate(parameters):
            same[parameter.minimum, parameter.maximum, parameter.curve, parameter.symmetric].append(column)
        self._ranges = [
            (torch.tensor(columns, dtype=torch.int64, device=device), ModuleParameterRange(*key))
            for key, columns in same.items()
        ]

    def of(self, theta: Tensor) -> Tensor:
        """Stored values (C, P) -> human units (P, C)."""
        stored = theta.t().contiguous()
        human = torch.empty_like(stored)
        for columns, span in self._ranges:
            human.index_copy_(0, columns, span.from_0to1(stored.index_select(0, columns)))
        return human
