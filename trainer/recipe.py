"""Recipe: how an encoder learns from a stream.

A recipe names no stream, no machine and no folder. Torch is not needed here, so `--help` can read it:
the fields and the lines under them are the flags of `trainer fit`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from pairstream.errors import ConfigError
from trainer.picture import Picture

ObjectiveName = Literal["alignment-uniformity"]
EncoderName = Literal["resnet18"]
Optimiser = Literal["sgd", "adam"]
Precision = Literal["32-true", "bf16-mixed"]

#: What a field that is a name may be.
NAMES = {"objective": ObjectiveName, "encoder": EncoderName, "optimiser": Optimiser, "precision": Precision}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything beside the stream and the seed that decides the trained weights.

    Raises:
        ConfigError: a field is out of range; the message quotes the value and the remedy.
    """

    max_steps: int
    """Optimiser steps."""
    optimiser: Optimiser
    """sgd: without momentum, as the paper. adam: as its code's other option."""
    lr: float
    """Learning rate. For sgd it is the rate per 256 pairs, scaled by the pairs of a step over all processes."""
    weight_decay: float
    """L2 penalty of the optimiser."""
    batch_pairs: int | None = None
    """Pairs of a step, of all processes together; one block per process unless said, whatever their number."""
    milestones: tuple[float, ...] = (155 / 200, 170 / 200, 185 / 200)
    """Shares of max_steps after each of which the learning rate falls to a tenth."""
    objective: ObjectiveName = "alignment-uniformity"
    """What the encoder is trained for: alignment-uniformity, the paper's."""
    encoder: EncoderName = "resnet18"
    """The network: resnet18, the paper's."""
    width: int | None = None
    """Channels of the encoder's first layer; as published unless said, 64 for resnet18."""
    frontend: Picture = field(default_factory=Picture)
    """The log-mel picture that the encoder sees."""
    precision: Precision = "32-true"
    """32-true, or bf16-mixed where the processor has bfloat16."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestones", tuple(self.milestones))
        for name, choices in NAMES.items():
            if getattr(self, name) not in get_args(choices):
                raise ConfigError(
                    f"{name}={getattr(self, name)!r} is unknown; use one of {', '.join(get_args(choices))}"
                )
        if self.batch_pairs is not None and self.batch_pairs < 2:
            raise ConfigError(f"batch_pairs={self.batch_pairs} leaves the loss nothing to compare; use at least 2")
        if self.max_steps < 1:
            raise ConfigError(f"max_steps={self.max_steps} trains nothing; use at least 1")
        if self.width is not None and self.width < 1:
            raise ConfigError(f"width={self.width} is no number of channels; use 1 or more, such as 16 on a CPU")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ConfigError(f"lr={self.lr!r} is no learning rate; use a number above 0, such as 0.001 with adam")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ConfigError(f"weight_decay={self.weight_decay!r} is no penalty; use 0 or more")
