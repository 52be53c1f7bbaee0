"""Rooms: impulse responses, artificial ones or those of a folder.

An artificial room is the sound itself followed by noise that decays exponentially (Moorer, 1979). Every response
has an energy of 1, so that a room changes the colour of a sound and not much of its level.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from trainer.augment.hash_noise import white
from trainer.clips import read_clip
from trainer.sources.folder import files_of

#: Natural logarithm of 60 dB of amplitude.
_DECAY = math.log(10.0 ** (60.0 / 20.0))


def artificial(keys: Tensor, seconds: Tensor, samples: int, rate: int) -> Tensor:
    """Noise of keys (B,) that falls by 60 dB within so many seconds (B,), after a first sample of 1 -> (B, samples)."""
    time = torch.arange(samples, device=keys.device) / rate
    tail = white(keys, samples) * torch.exp(-_DECAY * time / seconds[:, None])
    tail[:, 0] = 1.0
    return energy_of_1(tail)


def read_responses(folder: Path, rate: int) -> Tensor:
    """The impulse responses of a folder, (K, L), the shorter ones followed by zeros.

    Raises:
        DataError: the folder or a file cannot be used.
    """
    read = [torch.from_numpy(read_clip(file, rate)) for file in files_of(folder)]
    return energy_of_1(pad_sequence(read, batch_first=True))


def digest_of(responses: Tensor | None) -> str:
    """SHA-256 of responses, which names them wherever they lie; empty for none."""
    return hashlib.sha256(responses.numpy().tobytes()).hexdigest() if responses is not None else ""


def energy_of_1(responses: Tensor) -> Tensor:
    """Responses (B, L) scaled to a sum of squares of 1."""
    return responses / responses.square().sum(dim=1, keepdim=True).sqrt().clamp(min=1e-12)
