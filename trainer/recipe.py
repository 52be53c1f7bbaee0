"""Recipe: how an encoder learns from a stream.

A recipe names no stream, no machine and no folder. Torch is not needed here, so `--help` can read it:
the fields and the lines under them are the flags of `trainer fit`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from pairstream.errors import ConfigError
from trainer.augmentation import Augmentation
from trainer.picture import Picture

ObjectiveName = Literal["alignment-uniformity", "nt-xent", "vicreg", "barlow-twins", "byol"]
EncoderName = Literal["resnet18", "resnet50", "byola", "byola-small", "ast-tiny"]
Optimiser = Literal["sgd", "adam", "adamw"]
Schedule = Literal["steps", "cosine"]
Precision = Literal["32-true", "bf16-mixed"]

#: What a field that is a name may be.
NAMES = {
    "objective": ObjectiveName,
    "encoder": EncoderName,
    "optimiser": Optimiser,
    "schedule": Schedule,
    "precision": Precision,
}

#: Fields from 0 to less than 1, and what to say of another value.
SHARES = {
    "momentum": "momentum; use 0, as the paper does, to less than 1",
    "warmup": "share of the run; use 0 to less than 1, such as 0.05",
    "tau": "share for the target to keep; use 0 to less than 1, such as 0.99",
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything beside the stream and the seed that decides the trained weights.

    Raises:
        ConfigError: a field is out of range; the message quotes the value and the remedy.
    """

    max_steps: int
    """Optimiser steps."""
    optimiser: Optimiser
    """sgd: the paper's. adam: its code's other option. adamw: adam with the penalty apart from the gradient."""
    lr: float
    """Learning rate. For sgd it is the rate per 256 pairs, scaled by the pairs of a step over all processes."""
    weight_decay: float
    """L2 penalty of the optimiser."""
    momentum: float = 0.0
    """Of sgd; the paper has none."""
    schedule: Schedule = "steps"
    """steps: a tenth of the rate from each milestone on. cosine: from the whole rate down to none."""
    milestones: tuple[float, ...] = (155 / 200, 170 / 200, 185 / 200)
    """Shares of max_steps after each of which, with the schedule steps, the learning rate falls to a tenth."""
    warmup: float = 0.0
    """Share of max_steps over which the learning rate rises to its value."""
    batch_pairs: int | None = None
    """Pairs of a batch, of all processes together; unless said, a block for each process that begins the run."""
    accumulate: int = 1
    """Batches of an optimiser step. The objective compares the pairs within a batch, never beyond it."""
    objective: ObjectiveName = "alignment-uniformity"
    """What the encoder is trained for: alignment-uniformity, the paper's; nt-xent, vicreg, barlow-twins or byol."""
    temperature: float = 0.1
    """Of nt-xent: how sharply it tells near sounds apart."""
    tau: float = 0.99
    """Of byol: the share of itself that the slow copy keeps at the first step; it rises to 1."""
    theta_weight: float = 0.0
    """Weight of regressing the synthesizer's parameters, beside the objective; 0 for none."""
    projector: tuple[int, ...] = ()
    """Sizes of the layers between encoder and objective, such as [1024, 256]; none, as in the paper, unless said."""
    encoder: EncoderName = "resnet18"
    """The network: resnet18, the paper's; resnet50; byola and, for a CPU, byola-small; or ast-tiny, a transformer."""
    width: int | None = None
    """Channels of the encoder's first layer; as published unless said: 64, 16 for byola-small, 192 for ast-tiny."""
    frontend: Picture = field(default_factory=Picture)
    """The log-mel picture that the encoder sees."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """What is done to sounds and pictures at random; nothing unless said."""
    precision: Precision = "32-true"
    """32-true, or bf16-mixed where the processor has bfloat16."""

    def __post_init__(self) -> None:
        for name in ("milestones", "projector"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        self._check_names()
        self._check_counts()
        self._check_numbers()

    def _check_names(self) -> None:
        for name, choices in NAMES.items():
            if getattr(self, name) not in get_args(choices):
                raise ConfigError(
                    f"{name}={getattr(self, name)!r} is unknown; use one of {', '.join(get_args(choices))}"
                )

    def _check_counts(self) -> None:
        if self.batch_pairs is not None and self.batch_pairs < 2:
            raise ConfigError(f"batch_pairs={self.batch_pairs} leaves the loss nothing to compare; use at least 2")
        if self.max_steps < 1:
            raise ConfigError(f"max_steps={self.max_steps} trains nothing; use at least 1")
        if self.accumulate < 1:
            raise ConfigError(f"accumulate={self.accumulate} is no number of batches; use at least 1")
        if self.width is not None and self.width < 1:
            raise ConfigError(f"width={self.width} is no number of channels; use 1 or more, such as 16 on a CPU")
        if any(size < 1 for size in self.projector):
            raise ConfigError(f"projector={list(self.projector)} has a layer of nothing; use sizes such as [1024, 256]")

    def _check_numbers(self) -> None:
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ConfigError(f"lr={self.lr!r} is no learning rate; use a number above 0, such as 0.001 with adam")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ConfigError(f"weight_decay={self.weight_decay!r} is no penalty; use 0 or more")
        if not (math.isfinite(self.theta_weight) and self.theta_weight >= 0):
            raise ConfigError(f"theta_weight={self.theta_weight!r} is no weight; use 0 or more")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ConfigError(f"temperature={self.temperature!r} is none; use a number above 0, such as 0.1")
        for name, remedy in SHARES.items():
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)!r} is no {remedy}")
