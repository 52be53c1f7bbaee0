"""Ledger: after every step it moves the cursor, and every few steps it tells the sinks.

Reading a loss makes a GPU's queue run dry, so it happens only when a record is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from pairstream.torch import PairBatch
from trainer.data import StreamData
from trainer.meter import Spent
from trainer.records import Sink, StepRecord


class Ledger(Callback):
    """The first, every `every`-th and the last step become records. Comes before the checkpoints' callback."""

    def __init__(self, data: StreamData, sinks: Sequence[Sink], every: int) -> None:
        self._data = data
        self._sinks = sinks
        self._every = every
        self._last = Spent()
        self._lr = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Earlier sessions' time belongs to no record of this one."""
        self._last = self._data.meter.before

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: PairBatch, batch_idx: int
    ) -> None:
        """Show the first batch, and note the learning rate that the step will use."""
        if self._data.meter.read().steps == self._data.meter.before.steps:
            for sink in self._sinks:
                sink.first_batch(batch)
        self._lr = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Mapping[str, Any] | Any,
        batch: PairBatch,
        batch_idx: int,
    ) -> None:
        """The step is done: the batch is used."""
        self._data.trained_on(batch)
        step = trainer.global_step
        if step == 1 or step % self._every == 0 or step == trainer.max_steps:
            self._tell(step, outputs, batch)

    def _tell(self, step: int, outputs: Mapping[str, Any], batch: PairBatch) -> None:
        values = {name: float(outputs[name]) for name in ("loss", "alignment", "uniformity")}
        spent = self._data.meter.read()
        lately, self._last = spent - self._last, spent
        record = StepRecord(
            step=step,
            index=batch.index,
            next_index=self._data.next_index,
            pairs=spent.pairs,
            seconds=spent.seconds,
            waited=spent.waited,
            lr=self._lr,
            wait_fraction=lately.wait_fraction,
            pairs_per_second=lately.pairs_per_second,
            **values,
        )
        for sink in self._sinks:
            sink.record(record)
