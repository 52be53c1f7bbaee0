"""The yardstick: alignment and uniformity of the encoder's final layer, whatever the objective.

The field compares representations by these two numbers. They are computed only when a record is due.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from trainer.objectives.alignment_uniformity import alignment_uniformity

#: What it is made of; an objective that names these has them of the encoder's final layer, and of all processes.
YARDSTICK = ("alignment", "uniformity")


@torch.no_grad()
def scalars_of(outputs: Mapping[str, Any]) -> dict[str, float]:
    """The scalars of a step as numbers: those that the objective names, `alignment` and `uniformity` among them.

    Where the objective does not name those two, they are of this process's pairs.
    """
    x, y = outputs["embeddings"]
    terms: dict[str, Tensor] = {name: value for name, value in outputs.items() if name != "embeddings"}
    if "uniformity" not in terms:
        _, alignment, uniformity = alignment_uniformity(x, y)
        terms |= {"alignment": alignment, "uniformity": uniformity}
    return {name: float(value) for name, value in terms.items()}
