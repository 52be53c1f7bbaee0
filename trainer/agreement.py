"""Whether the processes of a run go on from the same step. Each reads the run folder by itself; a shared file system
may show one of them an older checkpoint, and then the streams' cursors would part without a word."""

from __future__ import annotations

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from pairstream.errors import CheckpointError


class SameStep(Callback):
    """Ends the run in all processes, before its first step, unless they agree."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raise CheckpointError: they do not."""
        if trainer.world_size == 1:
            return
        here = torch.tensor(trainer.global_step, device=pl_module.device)
        gathered: Tensor = trainer.strategy.all_gather(here)
        steps = gathered.flatten().tolist()
        if len(set(steps)) > 1:
            said = ", ".join(f"{step} in process {rank}" for rank, step in enumerate(steps))
            raise CheckpointError(
                f"the processes of this run found different checkpoints: step {said}; "
                "give all of them one run folder, and --resume again when all of them see the same files"
            )
