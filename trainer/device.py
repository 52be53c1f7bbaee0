"""Which kind of device to compute on."""

from __future__ import annotations

import torch

from pairstream.errors import ConfigError
from trainer.config import Accelerator


def device_of(accelerator: Accelerator) -> torch.device:
    """auto: the GPU if there is one. Raises ConfigError: a GPU is asked for and there is none."""
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("accelerator='gpu', but there is no CUDA device; use --accelerator cpu")
    return torch.device("cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu")
