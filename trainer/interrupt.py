"""StopOnSignal: SIGTERM and SIGINT end a training after the step in hand, with a checkpoint.

The second signal of a kind ends the process at once, for those who cannot wait.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from trainer.steps import ends_step

SIGNALS = (signal.SIGTERM, signal.SIGINT)

#: Processes with cards ask each other only so often, since the question makes a card's queue run dry.
STEPS_BETWEEN_QUESTIONS = 8


class StopOnSignal(Callback):
    """Sets `caught` and asks Lightning to stop. In a thread other than the main one it does nothing."""

    def __init__(self) -> None:
        self.caught: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over the signals; Lightning's own handlers are set earlier and restored by it later."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._catch) for number in SIGNALS}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """All processes stop after the same step, whichever of them was told to."""
        if not ends_step(trainer, batch_idx):
            return
        caught = self.caught is not None
        if trainer.world_size > 1:
            on_card = trainer.strategy.root_device.type == "cuda"
            if on_card and trainer.global_step % STEPS_BETWEEN_QUESTIONS:
                return
            caught = bool(trainer.strategy.reduce_boolean_decision(caught, all=False))
        trainer.should_stop = trainer.should_stop or caught

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Give the signals back, before Lightning restores those that it took itself."""
        self._give_back()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """The same, where the training does not come to its end."""
        self._give_back()

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _catch(self, number: int, frame: FrameType | None) -> None:
        self.caught = signal.Signals(number)
        signal.signal(number, signal.SIG_DFL)
