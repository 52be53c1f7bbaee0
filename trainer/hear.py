"""A trained model behind the API of HEAR, the Holistic Evaluation of Audio Representations (Turian et al. 2022).

    import trainer.hear as hear
    model = hear.load_model("runs/first").to("cuda")
    scene = hear.get_scene_embeddings(audio, model)                    # (n, F)
    embeddings, milliseconds = hear.get_timestamp_embeddings(audio, model)  # (n, t, F), (n, t)

Both kinds are the pooled layer, which is not what the training optimised and transfers better for it. A scene's is the
mean over its one-second frames, cut as `trainer probe` cuts them: the two measure the same vectors. A timestamp's is
of one second of sound around it, every 50 ms from 0 to the end, silence beyond both ends; a second, because that is
what the encoder was trained on. The specification: https://hearbenchmark.com/hear-api.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pairstream.errors import ConfigError, DataError
from trainer.checkpoints import load_model as load_audio_model
from trainer.model import AudioModel

HOP_MILLISECONDS = 50.0

#: Seconds of sound that go through the encoder at a time, whatever the length and the number of the sounds.
BATCH_SECONDS = 64


class HearModel(nn.Module):
    """A model with the attributes that HEAR asks for."""

    def __init__(self, model: AudioModel) -> None:
        super().__init__()
        self.model = model
        self.sample_rate: int = model.sample_rate
        self.scene_embedding_size: int = model.encoder.feature_size
        self.timestamp_embedding_size: int = model.encoder.feature_size


def load_model(model_file_path: str | Path) -> HearModel:
    """The model of a run folder, a checkpoint or an exported folder. Raises CheckpointError if it has none."""
    return HearModel(load_audio_model(Path(model_file_path))[0]).eval()


@torch.no_grad()
def get_scene_embeddings(audio: Tensor, model: HearModel) -> Tensor:
    """Sounds (n, T) in [-1, 1] at the model's rate, T >= 1 -> one embedding of each, (n, F), on the model's device.

    Raises:
        ConfigError: not of two dimensions.
        DataError: without samples, or with some that are not finite.
    """
    audio = _placed(audio, model)
    second, samples = model.sample_rate, audio.shape[1]
    starts = list(range(0, samples - second + 1, second)) or [0]
    if samples > second and samples % second:
        starts.append(samples - second)  # the last frame ends with the sound and overlaps its neighbour
    return _embed(pad(audio, (0, max(0, second - samples))), starts, second, model).mean(dim=1)


@torch.no_grad()
def get_timestamp_embeddings(audio: Tensor, model: HearModel) -> tuple[Tensor, Tensor]:
    """Sounds (n, T) -> embeddings (n, t, F) around the timestamps (n, t), in milliseconds. Errors as above."""
    audio = _placed(audio, model)
    picture = model.model.frontend.picture
    size = (picture.frames(model.sample_rate) - 1) * picture.hop + picture.window  # what a second's picture shows
    milliseconds = torch.arange(0.0, 1_000.0 * audio.shape[1] / model.sample_rate, HOP_MILLISECONDS)
    starts = [round(time * model.sample_rate / 1_000.0) for time in milliseconds.tolist()]  # each anew: no drift
    embeddings = _embed(pad(audio, (size // 2, size)), starts, size, model)
    return embeddings, milliseconds.to(audio.device).expand(len(audio), -1)


def _placed(audio: Tensor, model: HearModel) -> Tensor:
    if audio.ndim != 2:
        raise ConfigError(f"audio of shape {tuple(audio.shape)} is no batch of mono sounds; give (n_sounds, n_samples)")
    if not audio.numel():
        raise DataError(f"audio of shape {tuple(audio.shape)} has no samples, so there is nothing to embed")
    if not audio.isfinite().all():
        raise DataError("the sounds have samples that are not finite numbers; mend or leave out those sounds")
    return audio.to(next(model.parameters()).device, torch.float32)


def _embed(audio: Tensor, starts: Sequence[int], size: int, model: HearModel) -> Tensor:
    """Windows of `size` samples at `starts` of every sound (n, T) -> pooled layer (n, len(starts), F)."""
    model.eval()
    at_a_time = max(1, BATCH_SECONDS // max(1, len(audio)))
    parts = []
    for first in range(0, len(starts), at_a_time):
        windows = torch.stack([audio[:, start : start + size] for start in starts[first : first + at_a_time]], dim=1)
        pooled = [model.model.features(part) for part in torch.split(windows.flatten(0, 1), BATCH_SECONDS)]
        parts.append(torch.cat(pooled).view(*windows.shape[:2], -1))
    return torch.cat(parts, dim=1)
