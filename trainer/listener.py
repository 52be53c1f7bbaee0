"""The trained encoder as the page of `synth-server listen` hears with it; the entry point `pairstream.listeners`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec
from trainer.checkpoints import load_model


class EncoderListener:
    """The newest model of a run folder, that of a checkpoint file or of an exported folder; on the CPU.

    Raises:
        CheckpointError: there is none that can be used.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._model, plan = load_model(checkpoint)
        self.name = str(checkpoint)
        self.spec: StreamSpec = plan.spec

    @torch.inference_mode()
    def embed(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """Audio (B, T) -> embeddings (B, D), the final layer, as a batch of training gets them.

        Raises:
            ConfigError: the sample rate or the length does not fit the front end.
        """
        if sample_rate != self._model.sample_rate:
            raise ConfigError(
                f"sample_rate={sample_rate} is not what {self.name} hears; use a stream of {self._model.sample_rate} Hz"
            )
        embedded: NDArray[np.float32] = self._model(torch.from_numpy(audio)).float().numpy()
        return embedded
