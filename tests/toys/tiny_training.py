"""Settings of a training that takes a second, and a record of one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from trainer.checkpoints import read_checkpoint
from trainer.config import FitSettings
from trainer.recipe import Recipe
from trainer.records import StepRecord
from trainer.run_folder import RunFolder

TINY: dict[str, Any] = {
    "max_steps": 6, "objective": "alignment-uniformity", "projector": (), "encoder": "resnet18", "width": 2,
    "optimiser": "adam", "lr": 3e-3, "schedule": "steps", "warmup": 0.0,
    "held_out": 0, "log_every": 2, "checkpoint_every": 2,
}  # fmt: skip
TINY_RECIPE = Recipe(max_steps=6, optimiser="adam", lr=1e-3, weight_decay=0.0, width=2)
TINY_SPEC: dict[str, Any] = {"block_pairs": 4, "delta": 0.1}


def but(settings: FitSettings, **changes: Any) -> FitSettings:
    """The same settings with some changed."""
    return dataclasses.replace(settings, **changes)


def record(step: int, loss: float = -1.0, **terms: float) -> StepRecord:
    """What a sink is told after `step` steps of one pair."""
    return StepRecord(
        step=step, index=step - 1, next_index=step, pairs=step, seconds=1.0, waited=0.5, loss=loss, alignment=1.0,
        uniformity=-2.0, lr=0.1, wait_fraction=0.5, pairs_per_second=1.0, terms=terms,
    )  # fmt: skip


def weights(run: Path) -> dict[str, torch.Tensor]:
    newest = RunFolder(run).newest_checkpoint()
    assert newest is not None
    state: dict[str, torch.Tensor] = read_checkpoint(newest)["state_dict"]
    return state


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
