"""Is what was written the model? Both are played the same sounds, and the vectors must be the same.

The sounds are noise, decaying chords, silence and a clipped square, in batches of one to five and of
lengths from the shortest picture on, so that neither dimension can have been frozen while exporting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pairstream.errors import CheckpointError
from trainer.model import AudioModel

#: Audio (B, T) -> pooled layer (B, F) and final layer (B, D).
Hearing = Callable[[Tensor], tuple[Tensor, Tensor]]

#: Largest difference allowed, relative to the largest number of the live model's vectors in each layer.
SAME_ARITHMETIC = 0.0
OTHER_ARITHMETIC = 1e-4
HALF_WEIGHTS = 2e-2

SECONDS = (1.0, 1.37, 2.5)
BATCHES = (1, 2, 5)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well a file agrees with the live model."""

    difference: float
    """The largest seen, relative to the largest number of the live model's vectors in that layer."""
    tolerance: float
    """The largest allowed."""
    sounds: int
    """On how many."""


@torch.no_grad()
def agreement(name: str, model: AudioModel, written: Hearing, tolerance: float, shortest: int) -> Agreement:
    """Play the same sounds, from `shortest` samples on, to both.

    Raises:
        CheckpointError: the file `name` gives other vectors than the live model, or none.
    """
    worst, count = 0.0, 0
    for audio in sounds(model.sample_rate, shortest):
        for ours, theirs in zip(live(model)(audio), written(audio), strict=True):
            _refuse_what_is_no_number("the live model", ours)
            _refuse_what_is_no_number(name, theirs)
            worst = max(worst, _difference(name, ours, theirs))
        count += len(audio)
    if not worst <= tolerance:
        raise CheckpointError(
            f"{name} is not the model: its vectors differ by {worst:.2g} of the largest number, and {tolerance:g} is "
            "allowed; nothing was written. Export another format, or with --dtype float32"
        )
    return Agreement(difference=worst, tolerance=tolerance, sounds=count)


def live(model: AudioModel) -> Hearing:
    """The model as it is in memory."""

    def hear(audio: Tensor) -> tuple[Tensor, Tensor]:
        features = model.features(audio)
        return features, model.encoder.embed(features)

    return hear


def _refuse_what_is_no_number(name: str, vectors: Tensor) -> None:
    if not vectors.isfinite().all():
        raise CheckpointError(
            f"{name} gives vectors that are not finite numbers; nothing was written. If its training diverged, export "
            "an earlier checkpoint"
        )


def _difference(name: str, ours: Tensor, theirs: Tensor) -> float:
    if ours.shape != theirs.shape:
        raise CheckpointError(f"{name} gives {tuple(theirs.shape)} where the model gives {tuple(ours.shape)}")
    return float((ours - theirs).abs().max() / ours.abs().max().clamp(min=1e-12))


def sounds(sample_rate: int, shortest: int) -> Iterator[Tensor]:
    """Batches of audio (B, T) in [-1, 1], the same every time."""
    random = np.random.default_rng(0)
    lengths = [shortest, shortest + 1, *(int(seconds * sample_rate) for seconds in SECONDS)]
    for number, samples in enumerate(lengths):
        batch = BATCHES[number % len(BATCHES)]
        kinds = [_sound(random, (number + row) % 4, samples, sample_rate) for row in range(batch)]
        yield torch.from_numpy(np.stack(kinds).astype(np.float32))


def _sound(random: np.random.Generator, kind: int, samples: int, sample_rate: int) -> NDArray[np.float64]:
    seconds = np.arange(samples) / sample_rate
    if kind == 0:
        return np.asarray(random.uniform(0.01, 0.9) * random.uniform(-1.0, 1.0, samples))
    if kind == 1:
        return np.zeros(samples)
    tones = random.uniform(80.0, 2_000.0, 4)[:, None]
    chord = np.sin(2 * np.pi * tones * seconds).mean(axis=0)
    if kind == 2:
        return np.asarray(np.sign(chord))
    return np.asarray(chord * np.exp(-4.0 * seconds) + 0.01 * random.standard_normal(samples))
