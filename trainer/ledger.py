"""Ledger: after every batch it moves the cursor, and every few steps it tells the sinks.

Reading a loss makes a GPU's queue run dry, so it happens only when a record is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from pairstream.torch import PairBatch
from trainer.data import StreamData
from trainer.meter import Spent
from trainer.objectives.yardstick import scalars_of
from trainer.records import Sink, StepRecord
from trainer.steps import ends_step


class Ledger(Callback):
    """The first, every `every`-th and the last step become records. Comes before the checkpoints' callback."""

    def __init__(self, data: StreamData, sinks: Sequence[Sink], every: int) -> None:
        self._data = data
        self._sinks = sinks
        self._every = every
        self._last = Spent()
        self._lr = 0.0
        self._shown = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Earlier sessions' time belongs to no record of this one."""
        self._last = self._data.meter.before

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: PairBatch, batch_idx: int
    ) -> None:
        """Show the first batch, and note the learning rate that the step will use."""
        if not self._shown:
            self._shown = True
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
        """The batch is used, and a step perhaps done with it."""
        done = ends_step(trainer, batch_idx)
        self._data.trained_on(batch, ends_step=done)
        step = trainer.global_step
        if done and (step == 1 or step % self._every == 0 or step == trainer.max_steps):
            # Lightning hands out the share of a step's loss that a batch has.
            loss = outputs["loss"] * trainer.accumulate_grad_batches
            self._tell(step, scalars_of({**outputs, "loss": loss}), batch)

    def _tell(self, step: int, scalars: dict[str, float], batch: PairBatch) -> None:
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
            loss=scalars.pop("loss"),
            alignment=scalars.pop("alignment"),
            uniformity=scalars.pop("uniformity"),
            terms=scalars,
        )
        for sink in self._sinks:
            sink.record(record)
