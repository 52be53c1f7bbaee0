"""From recordings to vectors: what a probe sees of each clip.

An encoder's vector of a clip is the mean over its one-second frames, at two layers: `pooled`, the features, and
`final`, what the objective saw; the paper does not say which of them it used. The frames of many clips go through
an encoder together, and each clip is decoded once however many encoders there are.

The log-mel baseline is the mean and the standard deviation of every band over the whole clip, unpadded:
no encoder, and hard to beat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.clips import SAMPLE_RATE, Samples, frames_of, read_clip
from trainer.frontend import LogMel
from trainer.model import AudioModel
from trainer.probes.probe import Vectors

LOG_MEL = "log-mel"
LAYERS = ("pooled", "final")

#: Clips that are decoded at once, and frames that go through an encoder at once.
CLIPS, FRAMES = 128, 256


def layer_of(model: str, layer: str) -> str:
    """The name of a model's layer among the results of `embed`."""
    return f"{model}-{layer}"


@torch.inference_mode()
def embed(
    files: Sequence[Path],
    models: Mapping[str, AudioModel],
    *,
    log_mel: bool,
    device: torch.device | str = "cpu",
    threads: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, Vectors]:
    """Every clip in every representation: {name: (n, D)}; names are `log-mel` and `layer_of` models and layers.

    The models are put into eval mode and onto `device`. `threads` decode; `told` hears of every few clips done.

    Raises:
        DataError: a clip that cannot be used.
    """
    placed = {name: model.to(device).eval() for name, model in models.items()}
    rates = {model.sample_rate for model in placed.values()} | ({SAMPLE_RATE} if log_mel else set())
    columns: dict[str, list[Vectors]] = {}
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(files), CLIPS):
            some = files[start : start + CLIPS]
            for rate in rates:  # one, unless the encoders are of several sample rates
                clips = list(pool.map(partial(read_clip, sample_rate=rate), some))
                heard = {name: model for name, model in placed.items() if model.sample_rate == rate}
                for name, rows in _vectors(clips, heard, rate, log_mel and rate == SAMPLE_RATE, device):
                    columns.setdefault(name, []).append(rows)
            told(len(some))
    return {name: np.concatenate(rows) for name, rows in columns.items()}


def log_mel_statistics(clips: Sequence[Samples]) -> Vectors:
    """Clips (T,) at 16 kHz -> mean and standard deviation of their log-mel bands, (n, 128)."""
    frontend = LogMel()

    def of(clip: Samples) -> Tensor:
        padded = np.pad(clip, (0, max(0, frontend.picture.window - len(clip))))
        bands = frontend.frames(torch.from_numpy(padded)[None])[0]
        return torch.cat([bands.mean(dim=0), bands.std(dim=0, correction=0)])

    return torch.stack([of(clip) for clip in clips]).numpy()


def _vectors(
    clips: Sequence[Samples], models: Mapping[str, AudioModel], rate: int, log_mel: bool, device: torch.device | str
) -> Iterator[tuple[str, Vectors]]:
    if log_mel:
        yield LOG_MEL, log_mel_statistics(clips)
    frames = [frames_of(clip, rate) for clip in clips]
    audio = torch.from_numpy(np.concatenate(frames))
    counts = np.array([len(of_clip) for of_clip in frames])
    for name, model in models.items():
        for layer, means in _means(model, audio, counts, device):
            yield layer_of(name, layer), means


def _means(
    model: AudioModel, audio: Tensor, counts: NDArray[np.int64], device: torch.device | str
) -> Iterator[tuple[str, Vectors]]:
    """Frames (F, T), of which each clip has so many of `counts` -> means of each layer over each clip, (n, D)."""
    pooled = torch.cat([model.features(part.to(device)) for part in torch.split(audio, FRAMES)])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    for layer, outputs in zip(LAYERS, (pooled, model.encoder.embed(pooled)), strict=True):
        rows = outputs.float().cpu().numpy()
        yield layer, (np.add.reduceat(rows, starts, axis=0) / counts[:, None]).astype(np.float32)
