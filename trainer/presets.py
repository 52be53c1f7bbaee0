"""The presets: named recipes, and what of the stream's spec goes with them. Nothing but data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from trainer.recipe import Recipe

PresetName = Literal["paper", "cpu", "demo"]


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
            recipe=Recipe(max_steps=23_400, optimiser="sgd", lr=0.12, weight_decay=1e-6, width=64),
        ),
        # A million pairs by an encoder that takes a core 1.6 ms for a pair in bf16-mixed, picture and both passes
        # together. Its last layer has no negative numbers, which leaves uniformity little room: hence a projector, and
        # NT-Xent.
        "cpu": Preset(
            spec={"delta": 0.1, "block_pairs": 256},
            recipe=Recipe(
                max_steps=4_000,
                optimiser="adamw",
                lr=2e-3,
                weight_decay=1e-4,
                schedule="cosine",
                warmup=0.05,
                objective="nt-xent",
                projector=(512, 128),
                encoder="byola-small",
            ),
        ),
        # About a minute on two cores that also render: hit@1 among 512 from 0.04 to 0.28.
        "demo": Preset(
            spec={"delta": 0.05, "block_pairs": 128},
            recipe=Recipe(max_steps=200, optimiser="adam", lr=3e-3, weight_decay=1e-4, width=16),
        ),
    }
)
