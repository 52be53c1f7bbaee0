"""From recordings to vectors: what a probe sees of each clip.

An embedding of a clip is the mean over its one-second frames. The log-mel baseline is the mean and the
standard deviation of every band over the whole clip, unpadded: no encoder, and hard to beat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.clips import Samples, frames_of, read_clip
from trainer.frontend import LogMel
from trainer.model import AudioModel

LOG_MEL = "log-mel"
BATCH_FRAMES = 128

Vectors = NDArray[np.float32]


@torch.inference_mode()
def represent(
    files: Sequence[Path], models: Mapping[str, AudioModel], device: torch.device | str = "cpu"
) -> dict[str, Vectors]:
    """Every clip in every representation: {name: (n, D)}, each file read once.

    The names are `log-mel` (D = 128), and for each model `NAME pooled` and `NAME final`.
    The models are put into eval mode.
    """
    frontend = LogMel().to(device)
    placed = {name: model.to(device).eval() for name, model in models.items()}
    columns: dict[str, list[Vectors]] = {}
    for file in files:
        for name, vector in _represent_clip(read_clip(file), frontend, placed, device).items():
            columns.setdefault(name, []).append(vector)
    return {name: np.stack(vectors) for name, vectors in columns.items()}


def _represent_clip(
    clip: Samples, frontend: LogMel, models: Mapping[str, AudioModel], device: torch.device | str
) -> dict[str, Vectors]:
    vectors = {LOG_MEL: log_mel_statistics(clip, frontend, device)}
    frames = torch.from_numpy(frames_of(clip)).to(device)
    for name, model in models.items():
        pooled = torch.cat([model.features(part) for part in torch.split(frames, BATCH_FRAMES)])
        vectors[f"{name} pooled"] = _mean(pooled)
        vectors[f"{name} final"] = _mean(model.encoder.embed(pooled))
    return vectors


def log_mel_statistics(clip: Samples, frontend: LogMel, device: torch.device | str = "cpu") -> Vectors:
    """A clip (T,) -> mean and standard deviation of its log-mel bands, (128,)."""
    padded = np.pad(clip, (0, max(0, frontend.picture.window - len(clip))))
    bands = frontend.frames(torch.from_numpy(padded).to(device)[None])[0]
    return torch.cat([bands.mean(dim=0), bands.std(dim=0, correction=0)]).cpu().numpy()


def _mean(frames: Tensor) -> Vectors:
    return frames.mean(dim=0).float().cpu().numpy()
