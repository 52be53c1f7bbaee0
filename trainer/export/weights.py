"""model.safetensors: the weights by their names in AudioModel, float32 or float16; not what computes with them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from trainer.config import WeightType
from trainer.export.check import HALF_WEIGHTS, SAME_ARITHMETIC, Hearing, live
from trainer.exported import with_weights
from trainer.model import AudioModel
from trainer.plan import Plan

TYPES = {"float32": torch.float32, "float16": torch.float16}
TOLERANCE = {"float32": SAME_ARITHMETIC, "float16": HALF_WEIGHTS}


def write_weights(model: AudioModel, file: Path, dtype: WeightType) -> None:
    """The weights and running statistics; counters stay integers."""
    kept = {
        name: (tensor.to(TYPES[dtype]) if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_file(kept, file)


def read_weights(file: Path, plan: Plan) -> Hearing:
    """A model with the weights of `file`, as `load_model` builds it."""
    return live(with_weights(plan, file))
