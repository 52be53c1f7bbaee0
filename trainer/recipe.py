"""Recipe: how an encoder learns from a stream; and the presets, which are nothing but data.

A recipe names no stream, no machine and no folder. Torch is not needed here, so `--help` can read it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from pairstream.errors import ConfigError

Optimiser = Literal["sgd", "adam"]
Precision = Literal["32-true", "bf16-mixed"]
PresetName = Literal["paper", "cpu", "demo"]


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
    width: int = 64
    """Channels of the encoder's first layer; 64 is the paper's ResNet-18."""
    precision: Precision = "32-true"
    """32-true, or bf16-mixed where the processor has bfloat16."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestones", tuple(self.milestones))
        if self.batch_pairs is not None and self.batch_pairs < 2:
            raise ConfigError(f"batch_pairs={self.batch_pairs} leaves the loss nothing to compare; use at least 2")
        if self.max_steps < 1:
            raise ConfigError(f"max_steps={self.max_steps} trains nothing; use at least 1")
        if self.optimiser not in get_args(Optimiser) or self.precision not in get_args(Precision):
            raise ConfigError(
                f"optimiser={self.optimiser!r} or precision={self.precision!r} is unknown; "
                f"use one of {', '.join(get_args(Optimiser))} and of {', '.join(get_args(Precision))}"
            )
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ConfigError(f"lr={self.lr!r} is no learning rate; use a number above 0, such as 0.001 with adam")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ConfigError(f"weight_decay={self.weight_decay!r} is no penalty; use 0 or more")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A recipe, and the fields of the stream's spec that go with it; the command line overrides both."""

    recipe: Recipe
    spec: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", MappingProxyType(dict(self.spec)))


PRESETS: Mapping[PresetName, Preset] = MappingProxyType(
    {
        # 200 epochs of 117 steps of 768 pairs: 18.0 million pairs.
        "paper": Preset(
            spec={"delta": 0.25, "block_pairs": 768},
            recipe=Recipe(max_steps=23_400, optimiser="sgd", lr=0.12, weight_decay=1e-6),
        ),
        # A million pairs, most of an hour on two cores: a quarter of the paper's width, and an optimiser in a hurry.
        "cpu": Preset(
            spec={"delta": 0.1, "block_pairs": 256},
            recipe=Recipe(max_steps=4_000, optimiser="adam", lr=3e-3, weight_decay=1e-4, width=16),
        ),
        # About a minute on two cores that also render: hit@1 among 512 from 0.04 to 0.28.
        "demo": Preset(
            spec={"delta": 0.05, "block_pairs": 128},
            recipe=Recipe(max_steps=200, optimiser="adam", lr=3e-3, weight_decay=1e-4, width=16),
        ),
    }
)
