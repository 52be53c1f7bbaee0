"""SaveCheckpoints: when a checkpoint is written. How it is written, `checkpoints.py` knows."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from pairstream.errors import PairstreamError
from trainer.run_folder import RunFolder
from trainer.steps import ends_step


class SaveCheckpoints(Callback):
    """Every `every` steps, at the end, and when the stream fails. All are kept. Comes last of all callbacks."""

    def __init__(self, folder: RunFolder, every: int) -> None:
        self._folder = folder
        self._every = every
        self._saved = -1
        self._whole = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A batch is used, and a step perhaps done with it."""
        self._whole = ends_step(trainer, batch_idx)
        if self._whole and trainer.global_step % self._every == 0:
            self._save(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The last step, or the one after which a signal stopped the training."""
        self._save(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """No block came: if that is between two steps, the state is whole and worth keeping."""
        if isinstance(exception, PairstreamError) and trainer.global_step > 0 and self._whole:
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        if trainer.global_step != self._saved:
            self._saved = trainer.global_step
            trainer.save_checkpoint(self._folder.checkpoint(trainer.global_step))
