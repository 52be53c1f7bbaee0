"""The trained encoder as the page of `synth-server listen` hears with it; the entry point `pairstream.listeners`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from trainer.checkpoints import load_model, newest_checkpoint
from trainer.exported import exported_folder


class EncoderListener:
    """The model of a checkpoint file, of an exported folder, or the newest of a run folder, while it is trained, too.

    Raises:
        CheckpointError: there is none that can be used.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self._file = self._newest()
        self._model, plan = load_model(self._file)
        self.spec: StreamSpec = plan.spec

    @property
    def name(self) -> str:
        """The file that is heard with from now on. Raises CheckpointError: a newer one cannot be used."""
        if (newest := self._newest()) != self._file:
            self._model, _ = load_model(newest)
            self._file = newest
        return str(self._file)

    @torch.inference_mode()
    def embed(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """Audio (B, T) -> embeddings (B, D), the final layer, as a batch of training gets them.

        Raises:
            ConfigError: the sample rate or the length does not fit the front end.
        """
        if sample_rate != self._model.sample_rate:
            raise ConfigError(
                f"sample_rate={sample_rate} is not what {self._file} hears; "
                f"use a stream of {self._model.sample_rate} Hz"
            )
        embedded: NDArray[np.float32] = self._model(torch.from_numpy(audio)).float().numpy()
        return embedded

    def _newest(self) -> Path:
        return self._checkpoint if exported_folder(self._checkpoint) else newest_checkpoint(self._checkpoint)
