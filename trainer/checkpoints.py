"""Checkpoints: written whole, read without executing anything in them, and checked to be ours.

Lightning decides what is in a checkpoint (weights, optimiser, schedule, cursor); this file decides
how it meets the disk. `load_model` takes the model out again, for probes and for other programs.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from pairstream.errors import CheckpointError
from pairstream.files import written_whole
from trainer.exported import exported_folder, load_exported, read_config
from trainer.model import AudioModel, untrained_model
from trainer.plan import Plan
from trainer.run_folder import RunFolder
from trainer.weights import check_weights

#: Where the plan lies in a checkpoint; its absence marks a checkpoint of another program.
PLAN_KEY = "pairstream_plan"

#: Before the names of the model's weights among those of the training.
MODEL_PREFIX = "model."


class WholeCheckpointIO(TorchCheckpointIO):
    """Lightning's checkpoint files, without half-written ones and without arbitrary pickles."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`, whole or not at all."""
        with written_whole(Path(path)) as file:
            torch.save(checkpoint, file)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; only tensors and plain values are accepted, whatever `weights_only` says."""
        return read_checkpoint(Path(path), map_location)


def read_checkpoint(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """The checkpoint in `path`. Raises CheckpointError: missing, damaged, or of another program."""
    try:
        checkpoint = torch.load(path, map_location=map_location or "cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}; name a run folder or a .ckpt file in one") from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, struct.error, ValueError, KeyError) as error:
        said = str(error).splitlines()[0] if str(error) and not isinstance(error, pickle.UnpicklingError) else ""
        reason = said or "not what torch.save writes of tensors and plain values"
        raise CheckpointError(
            f"{path} is damaged or no checkpoint ({reason}); use the one before it, or another run"
        ) from error
    if not isinstance(checkpoint, dict) or not {PLAN_KEY, "state_dict"} <= checkpoint.keys():
        raise CheckpointError(f"{path} is a checkpoint of another program; use one that `trainer fit` wrote")
    return checkpoint


def newest_checkpoint(path: Path) -> Path:
    """`path` itself if it is a file, else the newest checkpoint of the run folder `path`."""
    if path.is_file():
        return path
    found = RunFolder(path).newest_checkpoint()
    if found is None:
        raise CheckpointError(
            f"{path} is no checkpoint and no run folder with one; train first: `trainer fit --run {path}`"
        )
    return found


def load_model(path: Path) -> tuple[AudioModel, Plan]:
    """The trained model of a run folder, checkpoint file or exported folder, on the CPU in eval mode, and its plan.

    Raises:
        CheckpointError: missing, damaged, of another program or of another version.
    """
    return load_trained(path)[:2]


def load_trained(path: Path) -> tuple[AudioModel, Plan, int | None]:
    """The same with the optimiser steps it was trained for, which an exported folder need not say. Errors as above."""
    if folder := exported_folder(path):
        steps = read_config(folder).get("trained", {}).get("steps")
        return *load_exported(folder), None if steps is None else int(steps)
    file = newest_checkpoint(path)
    checkpoint = read_checkpoint(file)
    plan = Plan.from_dict(checkpoint[PLAN_KEY], file)
    model = untrained_model(plan.recipe, plan.seed)
    weights = _model_weights(checkpoint)
    check_weights(weights, model, file)
    model.load_state_dict(weights)
    return model.eval(), plan, int(checkpoint["global_step"])


def _model_weights(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    weights = checkpoint["state_dict"].items()
    return {key.removeprefix(MODEL_PREFIX): value for key, value in weights if key.startswith(MODEL_PREFIX)}
