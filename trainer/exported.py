"""An exported folder: a model without its run. This file reads it; what is in `export/` writes it.

FOLDER/
  config.json        what the model is, its plan, versions, and of each file below its SHA-256 and how it was checked
  README.md          the same in words
  model.safetensors  the weights
  model.onnx         the whole way from audio to vectors, for onnxruntime
  model.pt2          the same for torch.export

Nothing in it is a pickle, and nothing is executed to read config.json and model.safetensors.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from pairstream.errors import CheckpointError
from trainer.model import AudioModel, untrained_model
from trainer.plan import Plan
from trainer.weights import check_weights

#: What config.json says of itself; the version changes when a reader of the old one could not read the new.
KIND = "pairstream audio model"
VERSION = 1

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
ONNX = "model.onnx"
TORCH_EXPORT = "model.pt2"
FILES = (WEIGHTS, ONNX, TORCH_EXPORT)


def exported_folder(path: Path) -> Path | None:
    """The exported folder that `path` is, or that the file `path` lies in; None if it is something else."""
    folder = path.parent if path.name in FILES else path
    if any((folder / name).exists() for name in FILES):
        return folder
    try:
        config = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError):
        return None
    return folder if isinstance(config, dict) and "kind" in config else None


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says. Raises CheckpointError: unreadable, of another program, or of another version."""
    try:
        config = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read ({error}); export the model again") from error
    if not isinstance(config, dict) or config.get("kind") != KIND:
        raise CheckpointError(f"{folder} was not written by `trainer export`; name a folder that was, or a run folder")
    if config.get("version") != VERSION:
        raise CheckpointError(
            f"{folder} has version {config.get('version')!r} of the format, and this trainer reads version {VERSION}; "
            "export the model again with this trainer, or install the one that wrote it"
        )
    return config


def load_exported(folder: Path) -> tuple[AudioModel, Plan]:
    """The model of an exported folder, float32 on the CPU in eval mode, and its plan.

    Raises:
        CheckpointError: damaged, incomplete, or of another version.
    """
    config = read_config(folder)
    weights = folder / WEIGHTS
    if not weights.exists():
        raise CheckpointError(f"{folder} has no {WEIGHTS}; export the model with --format safetensors, too")
    plan = Plan.from_dict(config.get("plan"), folder / CONFIG)
    try:
        promised = config["files"][WEIGHTS]["sha256"]
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG} says nothing of {WEIGHTS}; export the model again") from error
    if sha256(weights) != promised:
        raise CheckpointError(f"{weights} is not the file that was exported (its SHA-256 differs); export it again")
    return with_weights(plan, weights), plan


def with_weights(plan: Plan, file: Path) -> AudioModel:
    """The plan's model with the weights of a safetensors file, float32 on the CPU in eval mode.

    Raises:
        CheckpointError: unreadable, or no weights of this model.
    """
    model = untrained_model(plan.recipe, plan.seed)
    try:
        weights = load_file(file)
    except SafetensorError as error:
        raise CheckpointError(f"{file} is no safetensors file ({error}); export the model again") from error
    check_weights(weights, model, file)
    model.load_state_dict(weights)  # copies into float32 whatever the file's type
    return model.eval()


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
