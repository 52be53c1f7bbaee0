"""Scalars, a few sounds and their pictures for TensorBoard."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from pairstream.torch import PairBatch
from trainer.frontend import LogMel
from trainer.picture import Picture
from trainer.records import StepRecord

SHOWN_PAIRS = 4


class TensorBoard:
    """A sink that writes event files into a folder."""

    def __init__(self, folder: Path, picture: Picture, upto: int = 0) -> None:
        self._writer = SummaryWriter(folder, purge_step=upto + 1 if upto else None)
        self._picture = picture
        self._step = upto

    def first_batch(self, batch: PairBatch) -> None:
        """The first pairs of the batch: what the encoder is asked to call alike."""
        audio = batch.audio[:SHOWN_PAIRS].float().cpu()
        pictures = LogMel(self._picture)(audio.flatten(0, 1)).unflatten(0, (-1, 2))
        for pair in range(len(audio)):
            for view, name in enumerate("ab"):
                self._writer.add_audio(
                    f"pair{pair}/{name}", audio[pair, view].clamp(-1, 1), self._step, self._picture.sample_rate
                )
            self._writer.add_image(f"pair{pair}", _side_by_side(pictures[pair, :, 0]), self._step)

    def record(self, record: StepRecord) -> None:
        """One point on every curve."""
        for name in ("loss", "alignment", "uniformity", "lr", "wait_fraction", "pairs_per_second"):
            self._writer.add_scalar(name, getattr(record, name), record.step)
        for name, value in record.terms.items():
            self._writer.add_scalar(name, value, record.step)

    def close(self) -> None:
        """Write what is pending."""
        self._writer.close()


def _side_by_side(log_mels: Tensor) -> Tensor:
    """Log-mels (2, frames, mels) -> a grey picture (1, mels, 2 * frames) in [0, 1], low bands at the bottom."""
    picture = torch.cat([view.T.flip(0) for view in log_mels], dim=1)
    low, high = picture.min(), picture.max()
    return ((picture - low) / (high - low).clamp(min=1e-6)).unsqueeze(0)
